import { stringify } from "yaml";
import { partOf, schemaAt } from "./json-schema.ts";
import type { Schema } from "./json-schema.ts";
import { configHead } from "./schema.ts";
import type { Config } from "./schema.ts";
import { durationPattern, durationText } from "./values.ts";

/** A resolved configuration as YAML. It is a valid configuration with the same meaning, and contains every setting. */
export function writtenConfig({ mode, profiles, rules }: Config): string {
  const named = Object.entries(profiles).map(([key, { name: _name, ...profile }]) => [key, profile]);
  const config = { ...configHead, mode, profiles: Object.fromEntries(named) as object, rules };
  return stringify(formatDurations(config, schemaAt([])), { aliasDuplicateObjects: false });
}

/** A value with its durations as text. The schema tells which numbers are durations. */
function formatDurations(value: unknown, schema: Schema | undefined): unknown {
  const part = (key: string | number) => (schema ? partOf(schema, key) : undefined);
  if (typeof value === "number") return schema?.pattern === durationPattern.source ? durationText(value) : value;
  if (Array.isArray(value)) return value.map((item, index) => formatDurations(item, part(index)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, formatDurations(item, part(key))]));
}
