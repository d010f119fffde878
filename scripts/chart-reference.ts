import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMap, isNode, parseDocument } from "yaml";
import type { Scalar, YAMLMap } from "yaml";
import { page, table } from "./markdown.ts";

const chart = fileURLToPath(new URL("../charts/arc-primer/", import.meta.url));

/** The parts of a JSON schema that define a value's type. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  /** The schema for all other keys. `false` if other keys are not allowed. */
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

interface RootSchema extends Schema {
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** One value of the chart. */
export interface ChartValue {
  /** For example `registryCache.storage.size`. */
  readonly path: string;
  /** For example `string`, `integer`, `list of strings`, or the allowed values. */
  readonly type: string;
  readonly default: unknown;
  /** The comment `# --` above it in values.yaml, or the empty string. */
  readonly about: string;
}

/**
 * Every value of the chart, in the order of values.yaml. A map with its own comment `# --` is one value; of other maps,
 * every leaf is a value. Types are from values.schema.json.
 *
 * @throws {Error} if a value is not in the schema
 */
export function chartValues(): ChartValue[] {
  const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, "utf8")) as RootSchema;
  const { contents } = parseDocument(readFileSync(`${chart}values.yaml`, "utf8"));
  return isMap<Scalar<string>>(contents) ? valuesOf(contents, "", schema) : [];
}

function valuesOf(map: YAMLMap<Scalar<string>>, prefix: string, schema: RootSchema): ChartValue[] {
  return map.items.flatMap(({ key, value }, index) => {
    // The parser assigns the comment before a map's first key to the map.
    const comment = key.commentBefore ?? (index === 0 && prefix !== "" ? map.commentBefore : undefined) ?? "";
    const about = /(?:^|\n) ?-- ?([^]*)/.exec(comment)?.[1]?.replaceAll(/\s+/g, " ").trim() ?? "";
    const path = prefix + key.value;
    if (isMap<Scalar<string>>(value) && value.items.length > 0 && !about) return valuesOf(value, `${path}.`, schema);
    return [{ path, type: typeOf(schema, path), default: isNode(value) ? value.toJSON() : value, about }];
  });
}

function typeOf(schema: RootSchema, path: string): string {
  let at: Schema | undefined = schema;
  for (const key of path.split(".")) at = at && propertyOf(resolved(schema, at), key);
  if (!at) throw new Error(`values.yaml has ${path}, but values.schema.json does not`);
  return typeIn(schema, at);
}

function propertyOf({ properties, additionalProperties }: Schema, key: string): Schema | undefined {
  const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
  return properties?.[key] ?? others;
}

/** @param plural the suffix for a plural: `s` in `list of strings` */
function typeIn(schema: RootSchema, given: Schema, plural = ""): string {
  const { type, enum: values, items, anyOf } = resolved(schema, given);
  if (values) return values.map((value) => `\`${value === "" ? '""' : String(value)}\``).join(", ");
  if (anyOf) return anyOf.map((one) => typeIn(schema, one, plural)).join(" or ");
  if (type === "array") return items ? `list of ${typeIn(schema, items, "s")}` : "list";
  const types = typeof type === "string" ? [type] : (type ?? ["any"]);
  return types.map((one) => `${one === "object" ? "map" : one}${plural}`).join(" or ");
}

function resolved({ definitions }: RootSchema, schema: Schema): Schema {
  const name = schema.$ref?.replace("#/definitions/", "");
  return name === undefined ? schema : definitions[name]!;
}

/** A value as YAML on one line. The empty string for an empty text. */
export function defaultIn(value: unknown): string {
  if (value === "") return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

/** The page docs/reference/chart.md. */
export function chartReference(): string {
  const groups = Map.groupBy(chartValues(), ({ path }) => groupOf(path));
  const sections = [...groups].flatMap(([group, values]) => [
    `## ${group}`,
    table(
      ["value", "type", "default", ""],
      values.map(({ path, type, default: value, about }) => [`\`${path}\``, type, defaultIn(value), about]),
    ),
  ]);
  return page(
    "# Values of the chart",
    "<!-- Written by npm run generate, from values.yaml and values.schema.json of charts/arc-primer. -->",
    "All values of `charts/arc-primer`, by their top-level key. `values.schema.json` rejects unknown values and wrong types before anything is installed. The settings of `config` are on [a separate page](configuration.md). [Install with Helm](../install/helm.md) says which values to set first.",
    ...sections,
  );
}

/** The top-level key of nested values. All other values are in one group. */
function groupOf(path: string): string {
  const [first, ...rest] = path.split(".");
  return rest.length > 0 ? first! : "Top level";
}
