import { configJsonSchema } from "../src/config/json-schema.ts";
import type { Schema } from "../src/config/json-schema.ts";
import { configHead } from "../src/config/schema.ts";
import { page, table } from "./markdown.ts";

export interface Setting {
  /** For example `profiles.NAME.docker.wait.timeout`. */
  readonly path: string;
  readonly schema: Schema;
}

/** All settings with their paths. Descends into maps and into lists of maps. */
export function settingsOf(schema: Schema, path = ""): Setting[] {
  const { properties, additionalProperties, items } = schema;
  const own: Setting[] = path === "" || (properties && !schema.description) ? [] : [{ path, schema }];
  const join = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (properties) return [...own, ...Object.entries(properties).flatMap(([key, one]) => settingsOf(one, join(key)))];
  if (typeof additionalProperties === "object" && additionalProperties.properties)
    return [...own, ...settingsOf({ ...additionalProperties, description: "" }, join(placeholderOf(path)))];
  if (items?.properties) return [...own, ...settingsOf({ ...items, description: "" }, `${path}[]`)];
  return own;
}

/** The placeholder for a key that the user chooses. */
function placeholderOf(path: string): string {
  return path.endsWith("registries") ? "HOST" : "NAME";
}

/** The page docs/reference/configuration.md. */
export function configurationReference(): string {
  const settings = settingsOf(configJsonSchema());
  const inProfile = "profiles.NAME.";
  const settingsTable = (some: readonly Setting[], prefix = "") =>
    table(
      ["setting", "default", ""],
      some.map(({ path, schema }) => [`\`${path.slice(prefix.length)}\``, defaultOf(schema), schema.description ?? ""]),
    );
  return page(
    "# Configuration",
    "<!-- Written by npm run generate, from the schema in src/config. -->",
    `A configuration is one YAML file: \`apiVersion: ${configHead.apiVersion}\`, \`kind: ${configHead.kind}\`, and the settings below. A setting that is not listed here is an error. \`arc-primer config check FILE\` prints every error with its line and path; with \`--resolved\`, it prints the resolved configuration. \`arc-primer config init\` prints a file to start from, and \`arc-primer config schema\` the schema for [editors](../guides/command-line.md#in-an-editor).`,
    "## The file",
    settingsTable(settings.filter(({ path }) => !path.startsWith(inProfile) && !isHead(path))),
    "## A profile",
    "The settings of `profiles.NAME`.",
    settingsTable(
      settings.filter(({ path }) => path.startsWith(inProfile)),
      inProfile,
    ),
  );
}

function isHead(path: string): boolean {
  return Object.hasOwn(configHead, path);
}

function defaultOf({ default: value }: Schema): string {
  if (value === undefined || JSON.stringify(value) === "{}" || JSON.stringify(value) === "[]") return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
