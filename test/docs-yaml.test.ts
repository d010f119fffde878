import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parser as promql } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { parseConfig } from "../src/config/load.ts";
import { configHead } from "../src/config/schema.ts";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { blocksOf, docBlocks } from "./support/docs.ts";
import type { Block } from "./support/docs.ts";
import { chartFolder, template } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { schemaLocation, writeSchemas } from "./support/kubernetes-schemas.ts";
import { clusterCache, findTool, haveTools } from "./support/tools.ts";

// Every YAML block of the documentation is validated: a configuration by the webhook's own code, values by Helm and the
// chart, manifests by the schemas of the API. A block of another kind says so in its first line.

const schema = configJsonSchema();
const profileSchema = schema.properties!["profiles"]!.additionalProperties as typeof schema;
const valuesSchema = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8")) as typeof schema;

const keysOf = ({ properties }: typeof schema) => new Set(Object.keys(properties ?? {}));
const [configKeys, profileKeys, valueKeys] = [keysOf(schema), keysOf(profileSchema), keysOf(valuesSchema)];

type Kind = "configuration" | "profile" | "values" | "manifests" | "alerts" | "declared" | undefined;

/** The kind of a block, determined by its keys. */
function kindOf({ text }: Block): Kind {
  if (/^# not checked: \S/.test(text)) return "declared";
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  const [first] = documents;
  if (Array.isArray(first)) return first.every((one) => Object.hasOwn(one as object, "alert")) ? "alerts" : undefined;
  if (typeof first !== "object" || first === null) return undefined;
  const keys = Object.keys(first);
  const areAll = (known: ReadonlySet<string>) => keys.every((key) => known.has(key));
  const { apiVersion = configHead.apiVersion } = first as { apiVersion?: string };
  if (apiVersion === configHead.apiVersion && areAll(configKeys)) return "configuration";
  if (documents.every((one) => Object.hasOwn(one as object, "kind"))) return "manifests";
  if (areAll(profileKeys)) return "profile";
  return areAll(valueKeys) ? "values" : undefined;
}

const blocks = docBlocks().filter(({ language }) => language === "yaml" || language === "yml");
const blocksOfKind = (kind: Kind) =>
  blocks
    .filter((block) => kindOf(block) === kind)
    .map((block) => ({ where: `${block.page}:${block.line}`, text: block.text, isMarked: block.isMarked }));

test("every block has a kind that is checked here, or says that it is not checked", () => {
  const unknown = blocksOfKind(undefined).map(({ where }) => where);
  const whatToDo = `These blocks are not checked. A YAML block can be a PrimerConfiguration, or a part of one that begins with
profiles, rules or mode; the settings of a profile; values of the chart; manifests with apiVersion and kind; or alerts. If it
is something else, say so in its first line, such as "# not checked: values of ARC's chart".`;
  expect(unknown, `${unknown.join("\n")}\n${whatToDo}\n`).toEqual([]);
});

test("the kind of a block is determined correctly", () => {
  const kind = (text: string) => kindOf(blocksOf("a.md", `\`\`\`yaml\n${text}\n\`\`\`\n`)[0]!);
  expect(kind("profiles: { default: {} }")).toBe("configuration");
  expect(kind("apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration")).toBe("configuration");
  expect(kind("docker: { inject: true }")).toBe("profile");
  expect(kind("config: { mode: audit }\nreplicas: 3")).toBe("values");
  expect(kind("apiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Pod")).toBe("manifests");
  expect(kind("- { alert: A, expr: up }")).toBe("alerts");
  expect(kind("# not checked: a workflow\njobs: {}")).toBe("declared");
  expect(kind("jobs: {}")).toBeUndefined();
});

test.each(blocksOfKind("configuration"))("the configuration at $where is valid", ({ text }) => {
  const config = parse(text) as object;
  expect(() => parseConfig(stringify({ ...configHead, ...config }), "config.yaml")).not.toThrow();
});

test.each(blocksOfKind("profile"))("the profile at $where is valid", ({ text }) => {
  const config = { ...configHead, profiles: { default: parse(text) as object } };
  expect(() => parseConfig(stringify(config), "config.yaml")).not.toThrow();
});

test("JSON blocks are valid JSON", () => {
  for (const { page, line, text } of docBlocks().filter(({ language }) => language === "json"))
    expect(() => JSON.parse(text) as unknown, `${page}:${line}`).not.toThrow();
});

function isPromQL(text: string): boolean {
  let isValid = true;
  promql.parse(text).iterate({ enter: ({ type }) => void (isValid &&= !type.isError) });
  return isValid;
}

test("queries are valid PromQL", () => {
  const queries = docBlocks()
    .filter(({ language }) => language === "promql")
    .map(({ text }) => text);
  const inAlerts = blocksOfKind("alerts").flatMap(({ text }) =>
    (parse(text) as { expr: string }[]).map(({ expr }) => expr),
  );
  expect([...queries, ...inAlerts].filter((query) => !isPromQL(query))).toEqual([]);
});

describe.runIf(haveTools("helm", "kubeconform"))("checked with Helm and kubeconform,", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "arc-primer-schemas-"));
    writeSchemas(join(clusterCache, "api"), folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The problems that kubeconform reports for manifests. */
  function problemsIn(input: string): { status: string; msg: string; kind: string }[] {
    const args = ["-strict", "-output=json", "-schema-location", schemaLocation(folder)];
    const { stdout } = spawnSync(findTool("kubeconform")!, args, { encoding: "utf8", input });
    return (JSON.parse(stdout) as { resources?: { status: string; msg: string; kind: string }[] }).resources ?? [];
  }
  const isUnknown = ({ msg }: { msg: string }) => msg.startsWith("could not find schema");

  test.each(blocksOfKind("values"))("the values at $where are valid", ({ text }) => {
    const { stdout, stderr, status } = template(parse(text) as Values);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const all = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    const config = all.find((one) => one?.data?.["config.yaml"]);
    expect(() => parseConfig(config.data["config.yaml"], "config.yaml")).not.toThrow();
    expect(problemsIn(stdout)).toEqual([]);
  });

  test.each(blocksOfKind("manifests"))("the manifests at $where are valid", ({ where, text, isMarked }) => {
    const bad = problemsIn(text).filter((one) => !(isUnknown(one) && isMarked));
    expect(bad, `${where}: a kind without a schema needs "Not run here" above the block`).toEqual([]);
  });

  test.each(blocksOfKind("alerts"))("the alerts at $where are valid", ({ text }) => {
    const spec = { groups: [{ name: "docs", rules: parse(text) as object[] }] };
    const rule = { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata: { name: "docs" }, spec };
    expect(problemsIn(JSON.stringify(rule))).toEqual([]);
  });
});
