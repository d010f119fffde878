import * as z from "zod";
import type { Path } from "./problem.ts";
import { configSchema } from "./schema.ts";

/** The parts of a JSON Schema that are read here and in the reference. */
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
 * The schema of a configuration file as it is written, for editors and validators: draft 7, which yaml-language-server
 * reads. Formats that are zod's own are left out: their pattern says the same.
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

/** What the schema says of the value at a path; undefined where there is no such setting. */
export function schemaAt(path: Path): Schema | undefined {
  read ??= configJsonSchema();
  return path.reduce<Schema | undefined>((schema, key) => (schema ? partOf(schema, key) : undefined), read);
}

/** What the schema of a map or list says of one value in it. */
export function partOf(schema: Schema, key: PropertyKey): Schema | undefined {
  const { properties = {}, additionalProperties, items } = schema;
  if (Object.hasOwn(properties, key)) return properties[String(key)];
  return items ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
}
