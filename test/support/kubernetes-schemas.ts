import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";

// Generates the JSON schemas for kubeconform from files that test/cluster/tools.sh has fetched: Kubernetes' own kinds from
// its OpenAPI specification, other kinds from their CustomResourceDefinitions. The schemas are strict: an unknown field is
// an error.

type Schema = { [key: string]: unknown };

interface Definition {
  kind: string;
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema & { properties: Schema } } }[];
  };
}

/** The location of the schemas that `writeSchemas` has written to a directory, as kubeconform expects it. */
export const schemaLocation = (folder: string) =>
  `${folder}/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json`;

/** Writes one schema file for each kind to `to`, from the specifications in `from`. */
export function writeSchemas(from: string, to: string): void {
  const write = (group: string, version: string, kind: string, schema: Schema) => {
    const file = join(to, group, `${kind.toLowerCase()}_${version}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(schema));
  };

  const { definitions } = JSON.parse(readFileSync(join(from, "swagger.json"), "utf8")) as {
    definitions: Record<string, Schema>;
  };
  // A quantity can also be a number, but the OpenAPI specification describes only the string form.
  definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = { type: ["string", "number"] };
  const all = strictSchema(definitions) as Record<string, Schema>;
  for (const schema of Object.values(all)) {
    const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as {
      group: string;
      version: string;
      kind: string;
    }[];
    const [one] = kinds;
    if (one && kinds.length === 1) {
      // For the core group, kubeconform uses the version as the name of the group.
      write(one.group || one.version, one.version, one.kind, {
        ...schema,
        definitions: referencedDefinitions(all, schema),
      });
    }
  }

  const files = readdirSync(from).filter((name) => name.endsWith(".yaml"));
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(from, file), "utf8"))) {
      const { kind, spec } = document.toJS() as Definition;
      if (kind !== "CustomResourceDefinition") continue;
      for (const { name, schema } of spec.versions) {
        const { properties, ...rest } = strictSchema(schema.openAPIV3Schema) as Schema & { properties: Schema };
        const withMetadata = { ...rest, properties: { ...properties, metadata: { type: "object" } } };
        write(spec.group, name, spec.names.kind, withMetadata);
      }
    }
  }
}

/** Replaces Kubernetes' extensions by standard keywords, and forbids unknown properties if the schema lists properties. */
function strictSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strictSchema);
  if (typeof schema !== "object" || schema === null) return schema;
  const given = schema as Schema;
  if (given["x-kubernetes-int-or-string"] === true || given["format"] === "int-or-string") {
    return { type: ["integer", "string"] };
  }
  const result = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, strictSchema(value)]));
  // A property can itself be named `properties`. In that case this is a map of properties, which has no type.
  const listsProperties = typeof given["properties"] === "object" && typeof given["type"] === "string";
  const isOpen = "additionalProperties" in given || given["x-kubernetes-preserve-unknown-fields"] === true;
  return listsProperties && !isOpen ? { ...result, additionalProperties: false } : result;
}

/** The definitions that a schema refers to, directly or indirectly. */
function referencedDefinitions(all: Record<string, Schema>, schema: Schema, found: Record<string, Schema> = {}) {
  for (const [, name = ""] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    if (found[name]) continue;
    found[name] = all[name]!;
    referencedDefinitions(all, found[name], found);
  }
  return found;
}
