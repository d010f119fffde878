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

// Every YAML block of the documentation is read by what reads it in use: a configuration by the webhook's own check, values
// by Helm and the chart, manifests by the API's schemas. A block of another kind says so in its first line.

const schema = configJsonSchema();
const profileSchema = schema.properties!["profiles"]!.additionalProperties as typeof schema;
const valuesSchema = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8")) as typeof schema;

const keysOf = ({ properties }: typeof schema) => new Set(Object.keys(properties ?? {}));
const [configKeys, profileKeys, valueKeys] = [keysOf(schema), keysOf(profileSchema), keysOf(valuesSchema)];

type Kind = "configuration" | "profile" | "values" | "manifests" | "alerts" | "declared" | undefined;

/** What a block is, by its keys. */
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
const shown = (kind: Kind) =>
  blocks
    .filter((block) => kindOf(block) === kind)
    .map((block) => ({ where: `${block.page}:${block.line}`, text: block.text, isMarked: block.isMarked }));

test("every block is of a kind that is checked here, or says that it is not", () => {
  const unknown = shown(undefined).map(({ where }) => where);
  const whatToDo = `Nothing reads these. A YAML block is a PrimerConfiguration or the part of one that begins with profiles,
rules or mode; a profile's settings; values of the chart; manifests with apiVersion and kind; or alerts. Give one of
another kind a first line that says what it is: "# not checked: values of ARC's chart".`;
  expect(unknown, `${unknown.join("\n")}\n${whatToDo}\n`).toEqual([]);
});

test("the kinds are told apart", () => {
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

test.each(shown("configuration"))("the configuration at $where is taken", ({ text }) => {
  const config = parse(text) as object;
  expect(() => parseConfig(stringify({ ...configHead, ...config }), "config.yaml")).not.toThrow();
});

test.each(shown("profile"))("the profile at $where is taken", ({ text }) => {
  const config = { ...configHead, profiles: { default: parse(text) as object } };
  expect(() => parseConfig(stringify(config), "config.yaml")).not.toThrow();
});

test("JSON blocks are JSON", () => {
  for (const { page, line, text } of docBlocks().filter(({ language }) => language === "json"))
    expect(() => JSON.parse(text) as unknown, `${page}:${line}`).not.toThrow();
});

function isPromQL(text: string): boolean {
  let isOne = true;
  promql.parse(text).iterate({ enter: ({ type }) => void (isOne &&= !type.isError) });
  return isOne;
}

test("queries are PromQL", () => {
  const queries = docBlocks()
    .filter(({ language }) => language === "promql")
    .map(({ text }) => text);
  const inAlerts = shown("alerts").flatMap(({ text }) => (parse(text) as { expr: string }[]).map(({ expr }) => expr));
  expect([...queries, ...inAlerts].filter((query) => !isPromQL(query))).toEqual([]);
});

describe.runIf(haveTools("helm", "kubeconform"))("for the chart and the API", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "arc-primer-schemas-"));
    writeSchemas(join(clusterCache, "api"), folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** kubeconform's verdicts on manifests that it has something to say about. */
  function verdicts(input: string): { status: string; msg: string; kind: string }[] {
    const args = ["-strict", "-output=json", "-schema-location", schemaLocation(folder)];
    const { stdout } = spawnSync(findTool("kubeconform")!, args, { encoding: "utf8", input });
    return (JSON.parse(stdout) as { resources?: { status: string; msg: string; kind: string }[] }).resources ?? [];
  }
  const isUnknown = ({ msg }: { msg: string }) => msg.startsWith("could not find schema");

  test.each(shown("values"))("the values at $where are taken", ({ text }) => {
    const { stdout, stderr, status } = template(parse(text) as Values);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const all = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    const config = all.find((one) => one?.data?.["config.yaml"]);
    expect(() => parseConfig(config.data["config.yaml"], "config.yaml")).not.toThrow();
    expect(verdicts(stdout)).toEqual([]);
  });

  test.each(shown("manifests"))("the manifests at $where are valid", ({ where, text, isMarked }) => {
    const problems = verdicts(text);
    const bad = problems.filter((one) => !(isUnknown(one) && isMarked));
    expect(bad, `${where}: there is no schema here for a kind only where "Not run here" stands above`).toEqual([]);
  });

  test.each(shown("alerts"))("the alerts at $where are valid", ({ text }) => {
    const spec = { groups: [{ name: "docs", rules: parse(text) as object[] }] };
    const rule = { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata: { name: "docs" }, spec };
    expect(verdicts(JSON.stringify(rule))).toEqual([]);
  });
});
