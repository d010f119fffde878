import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

// What deploy/doctor-rights.yaml gives. That it is enough is seen on a real API server (cluster/doctor.apiserver.test.ts).

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

test("the role for the whole cluster only reads, and no Secrets", () => {
  const rights = rightsOf("arc-primer-doctor");
  expect(rights.length).toBeGreaterThan(9);
  for (const right of rights) expect(right).toMatch(/^(get|list) [a-z]+$/);
  expect(rights.join()).not.toContain("secrets");
});

test("what may do more has roles of its own, which the page says how to bind", () => {
  expect(rightsOf("arc-primer-doctor-dry-run")).toEqual(["create pods"]);
  expect(rightsOf("arc-primer-doctor-replicas")).toEqual(["get pods/portforward", "create pods/portforward"]);
  const page = readFileSync(new URL("../docs/operations/doctor.md", import.meta.url), "utf8");
  for (const { metadata } of roles) expect(page).toContain(`--clusterrole ${metadata.name} `);
});
