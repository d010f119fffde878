import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { parseConfig } from "../src/config/load.ts";
import { configHead } from "../src/config/schema.ts";
import { chartFolder, helm, template } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// The values and configurations that docs/install and docs/guides/caches.md show are taken by the chart and the webhook.

const docs = fileURLToPath(new URL("../docs/", import.meta.url));
const pages = [...readdirSync(join(docs, "install")).map((page) => `install/${page}`), "guides/caches.md"];

/** The YAML blocks of a page whose first line is `# KIND`, without the indentation of a list. */
function blocks(page: string, kind: string): string[] {
  const text = readFileSync(join(docs, page), "utf8");
  return [...text.matchAll(/^( *)```yaml\n([^]*?)^ *```$/gm)]
    .map(([, indent = "", body = ""]) => body.replaceAll(new RegExp(`^${indent}`, "gm"), ""))
    .filter((body) => body.startsWith(`# ${kind}\n`));
}

const shown = (kind: string) => pages.flatMap((page) => blocks(page, kind).map((body) => ({ page, body })));
const rendered = (values: Values): Manifest[] => {
  const { stdout, stderr, status } = template(values);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
};

describe.runIf(haveTools("helm"))("the values in", () => {
  test.each(shown("values.yaml"))("$page are taken", ({ body }) => {
    const values = parse(body) as Values;
    expect(values).toHaveProperty("image.repository");
    const config = rendered(values).find((one) => one?.data?.["config.yaml"]);
    expect(() => parseConfig(config.data["config.yaml"], "config.yaml")).not.toThrow();
  });

  test("install/gitops.md are taken", () => {
    const text = readFileSync(join(docs, "install/gitops.md"), "utf8");
    const documents = [...text.matchAll(/```yaml\n([^]*?)```/g)].flatMap(([, body = ""]) =>
      parseAllDocuments(body).map((document) => document.toJS() as Manifest),
    );
    const values = documents.map(({ spec }) => spec.source?.helm.valuesObject ?? spec.values).filter(Boolean);
    expect(values).toHaveLength(2);
    for (const one of values) expect(rendered(one as Values).length).toBeGreaterThan(5);
  });

  test("the air-gapped page name all images by the one registry", () => {
    const [first = ""] = blocks("install/air-gapped.md", "values.yaml");
    const values = { ...(parse(first) as Values), registryCache: { enabled: true } };
    const images = [...JSON.stringify(rendered(values)).matchAll(/"image":"([^"]+)"/g)].map(([, image]) => image);
    expect(images.length).toBeGreaterThan(3);
    expect(images.filter((image) => !image?.startsWith("harbor.example.com/hub/"))).toEqual([]);
  });
});

test.each(shown("profile"))("a profile in $page is taken without a warning", ({ body }) => {
  const text = stringify({ ...configHead, profiles: { default: parse(body) as object } });
  expect(() => parseConfig(text, "config.yaml")).not.toThrow();
});

test("every cloud's page says that it has not been run here", () => {
  for (const page of ["eks", "gke", "aks", "openshift"]) {
    expect(readFileSync(join(docs, `install/${page}.md`), "utf8")).toContain("Not run here");
  }
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

test("the image that air-gapped clusters copy is the chart's", () => {
  const values = parse(readFileSync(join(chartFolder, "values.yaml"), "utf8")) as {
    registryCache: { image: { registry: string; repository: string; tag: string; digest: string } };
  };
  const { registry, repository, tag, digest } = values.registryCache.image;
  const page = readFileSync(join(docs, "install/air-gapped.md"), "utf8");
  expect(page).toContain(`docker://${registry}/${repository}@${digest} `);
  expect(page).toContain(`${repository}:${tag}\n`);
});
