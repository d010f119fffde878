import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

// Checks which permissions deploy/doctor-rights.yaml grants. test/cluster/doctor.apiserver.test.ts tests on a real API
// server that they are sufficient.

interface Role {
  metadata: { name: string };
  rules: { resources: string[]; verbs: string[] }[];
}
const text = readFileSync(new URL("../deploy/doctor-rights.yaml", import.meta.url), "utf8");
const roles = parseAllDocuments(text).map((document) => document.toJS() as Role);
const rightsOf = (name: string) =>
  roles
    .find(({ metadata }) => metadata.name === name)!
    .rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );

test("the role for the whole cluster is read-only, and does not include Secrets", () => {
  const rights = rightsOf("arc-primer-doctor");
  expect(rights.length).toBeGreaterThan(9);
  for (const right of rights) expect(right).toMatch(/^(get|list) [a-z]+$/);
  expect(rights.join()).not.toContain("secrets");
});

test("other permissions are in separate roles, and the page says how to bind them", () => {
  expect(rightsOf("arc-primer-doctor-dry-run")).toEqual(["create pods"]);
  expect(rightsOf("arc-primer-doctor-replicas")).toEqual(["get pods/portforward", "create pods/portforward"]);
  const page = readFileSync(new URL("../docs/operations/doctor.md", import.meta.url), "utf8");
  for (const { metadata } of roles) expect(page).toContain(`--clusterrole ${metadata.name} `);
});
