// Writes the generated files, so that no information has to be maintained twice:
//   docs/reference/                        from the configuration's schema, the reasons, the metrics, the command line and
//                                          the chart's values
//   charts/arc-primer/values.schema.json   its `config` part, from the same schema
//   charts/arc-primer/README.md            its short table of values, from the comments in values.yaml
//   deploy/                                plain manifests with cert-manager, from the chart's templates (needs Helm)
// usage: node scripts/generate.ts      (npm run generate)
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { isMap, parseAllDocuments } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import { configSchema } from "../src/config/schema.ts";
import { findTool } from "../test/support/tools.ts";
import { chartValues, defaultIn } from "./chart-reference.ts";
import { table } from "./markdown.ts";
import { referencePages } from "./reference.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const chart = `${root}charts/arc-primer/`;

/** The path and the expected text of every generated file. Files that need Helm are included only if Helm is installed. */
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

/** The chart's schema with a newly generated `config`, without lookaheads and zod's formats, which Helm does not support. */
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

/** The values that are set most often, for the chart's README. */
const setFirst = [
  "config",
  "image.repository",
  "image.tag",
  "image.digest",
  "imagePullSecrets",
  "global.imageRegistry",
  "replicas",
  "resources",
  "webhook.failurePolicy",
  "webhook.port",
  "hostNetwork",
  "openshift",
  "tls.provider",
  "networkPolicy.enabled",
  "serviceMonitor.enabled",
  "prometheusRule.enabled",
  "registryCache.enabled",
  "registryCache.upstreams",
  "registryCache.storage.size",
  "test.namespace",
];

function readme(): string {
  const text = readFileSync(`${chart}README.md`, "utf8");
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`charts/arc-primer/README.md does not have the lines ${begin} and ${end}`);
  const values = new Map(chartValues().map((value) => [value.path, value]));
  const rows = setFirst.map((path) => {
    const value = values.get(path);
    if (!value) throw new Error(`scripts/generate.ts names the value ${path}, which is not in values.yaml`);
    return [`\`${path}\``, defaultIn(value.default), value.about];
  });
  return [before, begin, "\n\n", table(["value", "default", ""], rows), "\n\n", end, after].join("");
}

/** Renders the chart with cert-manager, for users without Helm. The namespace comes first; Helm's labels are removed. */
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
    "image.repository=arc-primer", // a placeholder, as the comment at the top of the file says
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
  // Sorted, because the order differs between Helm versions, and no particular order is needed.
  const sorted = documents.map(String).toSorted();
  const head = `# The chart with cert-manager, for users without Helm. Generated by npm run generate. Install cert-manager first, and
# replace the image with yours. Then run: kubectl apply -f deploy/arc-primer.yaml`;
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
    process.stderr.write("Helm was not found (test/cluster/tools.sh builds it): deploy/ was not updated\n");
  for (const [file, text] of await generatedFiles()) writeFileSync(file, text);
}
