import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { blocksOf } from "./support/docs.ts";
import { chartFolder, helm, template } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// Checks what docs/install says about images, and about what was tested. docs-yaml.test.ts checks that its YAML is valid.

const docs = fileURLToPath(new URL("../docs/", import.meta.url));

const yamlOf = (page: string) =>
  blocksOf(page, readFileSync(join(docs, page), "utf8")).flatMap(({ language, text }) =>
    language === "yaml" ? [text] : [],
  );
const rendered = (values: Values): Manifest[] => {
  const { stdout, stderr, status } = template(values);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
};

describe.runIf(haveTools("helm"))("the values in", () => {
  test("install/gitops.md are accepted", () => {
    const documents = yamlOf("install/gitops.md").flatMap((text) =>
      parseAllDocuments(text).map((document) => document.toJS() as Manifest),
    );
    const values = documents.map(({ spec }) => spec.source?.helm.valuesObject ?? spec.values).filter(Boolean);
    expect(values).toHaveLength(2);
    for (const one of values) expect(rendered(one as Values).length).toBeGreaterThan(5);
  });

  test("the air-gapped page use a single registry for all images", () => {
    const [first = ""] = yamlOf("install/air-gapped.md");
    const values = { ...(parse(first) as Values), registryCache: { enabled: true } };
    const images = [...JSON.stringify(rendered(values)).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
    expect(images.length).toBeGreaterThan(3);
    expect(images.filter((image) => !image?.startsWith("harbor.example.com/hub/"))).toEqual([]);
  });
});

test("every page about a cloud provider says that it was not tested", () => {
  for (const page of ["eks", "gke", "aks", "openshift"]) {
    expect(readFileSync(join(docs, `install/${page}.md`), "utf8")).toMatch(/^# .*\n\nNot run here: /);
  }
});

test("every section about a cache from another vendor says that it was not tested", () => {
  const text = readFileSync(join(docs, "guides/caches.md"), "utf8");
  const [, chartCache = "", ...vendors] = text.split(/^## /m);
  expect(chartCache).toMatch(/^The chart's cache\n/);
  expect(vendors.length).toBe(7);
  expect(vendors.filter((section) => !/^.*\n\nNot run here: /.test(section))).toEqual([]);
});

describe.runIf(haveTools("helm"))("the command that installs from a checkout", () => {
  test.each(["README.md", "docs/install/helm.md", "charts/arc-primer/README.md"])("in %s names an image", (page) => {
    const text = readFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), "utf8");
    const [command = ""] = /^helm install .*$/m.exec(text) ?? [];
    const [, name = ""] = /--set image\.repository=(\S+)/.exec(command) ?? [];
    const { status, stdout } = helm(["template", "arc-primer", chartFolder, "--set", `image.repository=${name}`]);
    expect(status).toBe(0);
    expect(stdout).toContain(`image: ${name}:`);
  });
});

test("the image to copy for air-gapped clusters is the one in the chart", () => {
  const values = parse(readFileSync(join(chartFolder, "values.yaml"), "utf8")) as {
    registryCache: { image: { registry: string; repository: string; tag: string; digest: string } };
  };
  const { registry, repository, tag, digest } = values.registryCache.image;
  const page = readFileSync(join(docs, "install/air-gapped.md"), "utf8");
  expect(page).toContain(`docker://${registry}/${repository}@${digest} `);
  expect(page).toContain(`${repository}:${tag}\n`);
});
