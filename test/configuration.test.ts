import { readFileSync, readdirSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { settingsOf } from "../scripts/configuration-reference.ts";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { parseConfig, parseWithWarnings } from "../src/config/load.ts";
import { configStart } from "../src/config/start.ts";
import { writtenConfig } from "../src/config/written.ts";

const golden = new URL("golden/", import.meta.url);
const cases = readdirSync(golden).toSorted();
const configOf = (name: string) => readFileSync(new URL(`${name}/config.yaml`, golden), "utf8");

test("every setting has a description that is a complete sentence", () => {
  const settings = settingsOf(configJsonSchema()).filter(({ path }) => !["apiVersion", "kind"].includes(path));
  expect(settings.length).toBeGreaterThan(50);
  const without = settings.filter(({ schema }) => !/^[A-Z`*][^]*[.:)]$/.test(schema.description ?? ""));
  expect(without.map(({ path }) => path)).toEqual([]);
});

describe("the JSON Schema", () => {
  const validate = new Ajv({ allErrors: true }).compile(configJsonSchema());
  const errors = (text: string) => (validate(parse(text)) ? [] : validate.errors!.map((one) => one.instancePath));

  test.each(cases)("accepts the configuration of golden %s", (name) => expect(errors(configOf(name))).toEqual([]));

  test("accepts the example configuration", () => expect(errors(configStart())).toEqual([]));

  test("rejects what config check rejects, at the same place", () => {
    const wrong = `${configOf("dind-sidecar")}
rules: [{ profile: 7, namespace: [a] }]
mode: enforced
`;
    expect(errors(wrong)).toEqual(expect.arrayContaining(["/mode", "/rules/0", "/rules/0/profile"]));
  });
});

describe("the example configuration", () => {
  test("is the default configuration, without a warning", () => {
    const { config, warnings } = parseWithWarnings(configStart(), "start.yaml");
    expect(warnings).toEqual([]);
    expect(config).toEqual(
      parseConfig("apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n", "empty.yaml"),
    );
  });

  test("is also valid with all commented settings turned on", () => {
    const all = configStart().replaceAll(/^( *)#(?! \S)/gm, "$1");
    const { config, warnings } = parseWithWarnings(all, "start.yaml");
    expect(warnings).toEqual([]);
    expect(config.profiles["default"]?.docker.inject).toBe(true);
    expect(config.profiles["large"]?.docker.wait.timeout).toBe(300_000);
    expect(config.rules).toHaveLength(1);
  });

  test("has no long lines and no Markdown", () => {
    expect(
      configStart()
        .split("\n")
        .filter((line) => line.length > 120 || line.includes("**")),
    ).toEqual([]);
  });
});

describe("a resolved configuration", () => {
  test.each(cases)("of golden %s is a configuration with the same meaning", (name) => {
    const config = parseConfig(configOf(name), name);
    expect(parseConfig(writtenConfig(config), name)).toEqual(config);
  });

  test("has durations as text, in the largest unit", () => {
    const text =
      "{ docker: { wait: { timeout: 90s, interval: 1500ms } }, runner: { finishJob: { gracePeriod: 120m } } }";
    const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
    const written = writtenConfig(parseConfig(`${head}profiles: { default: ${text} }`, "c.yaml"));
    expect(parse(written)).toMatchObject({
      profiles: {
        default: {
          docker: { wait: { timeout: "90s", interval: "1500ms" } },
          runner: { finishJob: { gracePeriod: "2h", reserve: "1m" } },
          prerequisites: { timeout: "5m" },
        },
      },
    });
  });
});
