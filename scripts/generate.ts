// Writes the files that are made from others, so that nothing is said twice:
//   docs/reference/                        from the configuration's schema, the reasons, the metrics and the command line
//   charts/arc-primer/values.schema.json   its `config` part, from the same schema
//   charts/arc-primer/README.md            the table of values, from the comments in values.yaml
//   deploy/                                plain manifests with cert-manager, from the chart's templates (needs Helm)
// usage: node scripts/generate.ts      (npm run generate)
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { isMap, isNode, parseAllDocuments, parseDocument } from "yaml";
import type { Document, Scalar, YAMLMap } from "yaml";
import { z } from "zod";
import { configSchema } from "../src/config/schema.ts";
import { findTool } from "../test/support/tools.ts";
import { referencePages } from "./reference.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const chart = `${root}charts/arc-primer/`;

/** Every generated file's path and the text that it should have; those that need Helm only where Helm is. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const helm = findTool("helm");
  const texts: [string, string][] = [
    ...[...(await referencePages())].map(([name, text]): [string, string] => [`${root}docs/reference/${name}`, text]),
    [`${chart}values.schema.json`, valuesSchema()],
    [`${chart}README.md`, readme()],
  ];
  if (helm) texts.push([`${root}deploy/arc-primer.yaml`, plainManifests(helm)]);
  const formatted = texts.map(async ([file, text]): Promise<[string, string]> => [
    file,
    await format(text, { filepath: file, printWidth: 120 }),
  ]);
  return new Map(await Promise.all(formatted));
}

/** The schema as it stands, with `config` anew. Helm knows neither lookaheads nor zod's formats; the webhook does. */
function valuesSchema(): string {
  const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, "utf8")) as { properties: object };
  const { $schema: _, ...config } = z.toJSONSchema(configSchema.omit({ apiVersion: true, kind: true }), {
    io: "input",
    target: "draft-07",
    override({ jsonSchema }) {
      delete jsonSchema.format;
      delete jsonSchema.default;
      if (jsonSchema.pattern?.includes("(?!")) delete jsonSchema.pattern;
    },
  });
  const description = "The PrimerConfiguration, without apiVersion and kind.";
  return JSON.stringify({ ...schema, properties: { ...schema.properties, config: { description, ...config } } });
}

const [begin, end] = ["<!-- values: made by npm run generate -->", "<!-- end of values -->"];

function readme(): string {
  const text = readFileSync(`${chart}README.md`, "utf8");
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`charts/arc-primer/README.md lacks the lines ${begin} and ${end}`);
  const rows = valueRows().map(({ key, value, about }) => `| \`${key}\` | ${value} | ${about} |`);
  return [before, begin, "\n\n| value | default | |\n| --- | --- | --- |\n", rows.join("\n"), "\n\n", end, after].join(
    "",
  );
}

/** One row a value: a map with a comment `# --` of its own whole, other maps down to their leaves. */
function valueRows(): { key: string; value: string; about: string }[] {
  const rows = (map: YAMLMap<Scalar<string>>, path: string): ReturnType<typeof valueRows> =>
    map.items.flatMap(({ key, value }, index) => {
      // The parser gives the comment before a map's first key to the map.
      const comment = key.commentBefore ?? (index === 0 && path !== "" ? map.commentBefore : undefined) ?? "";
      const about = /(?:^|\n) ?-- ?([^]*)/.exec(comment)?.[1]?.replaceAll(/\s+/g, " ").trim() ?? "";
      const name = path + key.value;
      if (isMap<Scalar<string>>(value) && value.items.length > 0 && !about) return rows(value, `${name}.`);
      return [{ key: name, value: shown(value), about }];
    });
  const { contents } = parseDocument(readFileSync(`${chart}values.yaml`, "utf8"));
  return isMap<Scalar<string>>(contents) ? rows(contents, "") : [];
}

function shown(value: unknown): string {
  const plain: unknown = isNode(value) ? value.toJSON() : value;
  const text = typeof plain === "string" ? plain : JSON.stringify(plain);
  if (text.length > 70) return "see values.yaml";
  return text === "" ? "" : `\`${text}\``;
}

/** The chart with cert-manager, for people without Helm: its namespace first, and nothing that speaks of Helm. */
function plainManifests(helm: string): string {
  const name = "arc-primer";
  const args = [
    "template",
    name,
    chart,
    "--namespace",
    name,
    "--set",
    "tls.provider=cert-manager",
    "--set",
    "image.repository=arc-primer", // to be replaced, as the head of the file says
    "--no-hooks",
    "--skip-schema-validation",
  ];
  const documents = parseAllDocuments(execFileSync(helm, args, { encoding: "utf8" })) as Document[];
  for (const document of documents) {
    document.commentBefore = null;
    if (isMap(document.contents)) document.contents.commentBefore = null;
    for (const path of [["metadata"], ["spec", "template", "metadata"]]) {
      for (const label of ["helm.sh/chart", "app.kubernetes.io/managed-by"]) {
        if (document.hasIn([...path, "labels"])) document.deleteIn([...path, "labels", label]);
      }
    }
    if (!document.hasIn(["metadata", "namespace"]) && !String(document.get("kind")).match(clusterWide)) {
      document.setIn(["metadata", "namespace"], name);
    }
  }
  // Helm's own order is not the same in all its versions, and none is needed.
  const sorted = documents.map(String).toSorted();
  const head = `# The chart with cert-manager, for those without Helm; made by npm run generate. cert-manager must be there already,
# and the image is yours to name: kubectl apply -f deploy/arc-primer.yaml`;
  const namespace = `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  labels: { pod-security.kubernetes.io/enforce: restricted }\n`;
  return [`${head}\n${namespace}`, ...sorted].join("---\n").replaceAll("---\n---\n", "---\n");
}

const clusterWide =
  /^(MutatingWebhookConfiguration|ClusterRole|ClusterRoleBinding|Namespace|ValidatingAdmissionPolicy|ValidatingAdmissionPolicyBinding)$/;

if (import.meta.main) {
  if (!findTool("helm"))
    process.stderr.write("Helm is not here (test/cluster/tools.sh builds it): deploy/ is left as it is\n");
  for (const [file, text] of await generatedFiles()) writeFileSync(file, text);
}
