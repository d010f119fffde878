import * as z from "zod";
import type { Path } from "./problem.ts";
import { configSchema } from "./schema.ts";

/** The parts of a JSON Schema that are used here and in the reference. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

/**
 * The JSON schema of a configuration file, for editors and validators. It is draft 7, which yaml-language-server supports.
 * zod's own formats are omitted, because the patterns express the same.
 */
export function configJsonSchema(): Schema {
  return z.toJSONSchema(configSchema, {
    io: "input",
    target: "draft-07",
    override({ jsonSchema }) {
      delete jsonSchema.format;
    },
  }) as Schema;
}

let read: Schema | undefined;

/** The schema of the value at a path. Undefined if there is no such setting. */
export function schemaAt(path: Path): Schema | undefined {
  read ??= configJsonSchema();
  return path.reduce<Schema | undefined>((schema, key) => (schema ? partOf(schema, key) : undefined), read);
}

/** The schema of one value in a map or list. */
export function partOf(schema: Schema, key: PropertyKey): Schema | undefined {
  const { properties = {}, additionalProperties, items } = schema;
  if (Object.hasOwn(properties, key)) return properties[String(key)];
  return items ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
}
