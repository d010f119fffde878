import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";

// The JSON schemas that kubeconform checks manifests against, made of what test/cluster/tools.sh has fetched: Kubernetes'
// own kinds from its OpenAPI description, other kinds from their CustomResourceDefinitions. All are closed: a field that
// the API does not know is an error.

type Schema = { [key: string]: unknown };

interface Definition {
  kind: string;
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema & { properties: Schema } } }[];
  };
}

/** Where kubeconform finds the schemas below a folder that `writeSchemas` has filled. */
export const schemaLocation = (folder: string) =>
  `${folder}/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json`;

/** Writes a schema file a kind into `to`, from the descriptions in `from`. */
export function writeSchemas(from: string, to: string): void {
  const write = (group: string, version: string, kind: string, schema: Schema) => {
    const file = join(to, group, `${kind.toLowerCase()}_${version}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(schema));
  };

  const { definitions } = JSON.parse(readFileSync(join(from, "swagger.json"), "utf8")) as {
    definitions: Record<string, Schema>;
  };
  // A number is a quantity as well; the description says only how one is written as a text.
  definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = { type: ["string", "number"] };
  const all = closed(definitions) as Record<string, Schema>;
  for (const schema of Object.values(all)) {
    const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as {
      group: string;
      version: string;
      kind: string;
    }[];
    const [one] = kinds;
    if (one && kinds.length === 1) {
      // kubeconform takes the version for the core group's name.
      write(one.group || one.version, one.version, one.kind, { ...schema, definitions: referred(all, schema) });
    }
  }

  const files = readdirSync(from).filter((name) => name.endsWith(".yaml"));
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(from, file), "utf8"))) {
      const { kind, spec } = document.toJS() as Definition;
      if (kind !== "CustomResourceDefinition") continue;
      for (const { name, schema } of spec.versions) {
        const { properties, ...rest } = closed(schema.openAPIV3Schema) as Schema & { properties: Schema };
        const withMetadata = { ...rest, properties: { ...properties, metadata: { type: "object" } } };
        write(spec.group, name, spec.names.kind, withMetadata);
      }
    }
  }
}

/** A schema with what Kubernetes says by extensions said plainly, and closed wherever it names its properties. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const given = schema as Schema;
  if (given["x-kubernetes-int-or-string"] === true || given["format"] === "int-or-string") {
    return { type: ["integer", "string"] };
  }
  const result = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, closed(value)]));
  // A property may itself be called `properties`; then this is a map of properties, without a type.
  const namesThem = typeof given["properties"] === "object" && typeof given["type"] === "string";
  const isOpen = "additionalProperties" in given || given["x-kubernetes-preserve-unknown-fields"] === true;
  return namesThem && !isOpen ? { ...result, additionalProperties: false } : result;
}

/** The definitions that a schema refers to, and those that these refer to. */
function referred(all: Record<string, Schema>, schema: Schema, found: Record<string, Schema> = {}) {
  for (const [, name = ""] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    if (found[name]) continue;
    found[name] = all[name]!;
    referred(all, found[name], found);
  }
  return found;
}
