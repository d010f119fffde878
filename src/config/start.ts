import { stringify } from "yaml";
import { schemaAt } from "./json-schema.ts";
import { configHead } from "./schema.ts";

/** A setting of the example configuration. If it is `off`, it is a comment. */
interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly off?: boolean;
}

const inDefault = (path: string, value: unknown): Entry => {
  return { path: ["profiles", "default", ...path.split(".")], value, off: true };
};
const mirrors = [{ url: "http://registry-cache.example.com:5000" }];

/** The settings in the order of the file. Active settings have their default values, so that the example changes nothing. */
const entries: readonly Entry[] = [
  { path: ["mode"], value: "enforce" },
  { path: ["profiles", "default", "docker", "wait", "timeout"], value: "2m" },
  inDefault("docker.inject", true),
  inDefault("docker.data.emptyDir.sizeLimit", "50Gi"),
  inDefault("docker.gracefulEnd.gracePeriod", "2m"),
  inDefault("runner.finishJob.gracePeriod", "2h"),
  inDefault("registries", { "docker.io": { mirrors } }),
  inDefault("privateCA.configMap", { name: "corporate-ca", key: "ca.crt" }),
  inDefault("prerequisites.packages", ["make", "jq"]),
  { path: ["profiles", "large"], value: { extends: "default", docker: { wait: { timeout: "5m" } } }, off: true },
  { path: ["rules"], value: [{ namespaces: ["ci-*"], profile: "large" }], off: true },
];

const head = `# An arc-primer configuration. \`arc-primer config check FILE\` validates it. \`arc-primer config schema\` prints
# the JSON schema of all settings, for completion and validation in editors.
# Lines that begin with # and no space are settings that are off. To turn one on, remove the # from its lines.
`;
const width = 100;

/** The text of an example configuration. Its comments are the schema's descriptions. */
export function configStart(): string {
  let open: readonly string[] = [];
  const blocks = entries.map(({ path, value, off = false }) => {
    const shared = path.findIndex((key, index) => key !== open[index]);
    if (!off) open = path.slice(0, -1);
    return off ? offLines(path, shared, value) : onLines(path, shared, value);
  });
  return `${head}${stringify(configHead)}\n${blocks.map((lines) => `${lines.join("\n")}\n`).join("\n")}`;
}

/** The keys from index `from`, each after a comment with its description. */
function onLines(path: readonly string[], from: number, value: unknown): string[] {
  return path.slice(from).flatMap((key, index) => {
    const depth = from + index;
    const text = depth === path.length - 1 ? stringify({ [key]: value }).trimEnd() : `${key}:`;
    return [...comment(path.slice(0, depth + 1), depth), `${indent(depth)}${text}`];
  });
}

/** The keys from index `from` as comments, after all their descriptions. */
function offLines(path: readonly string[], from: number, value: unknown): string[] {
  const keys = path.slice(from);
  const text = stringify(keys.reduceRight((inner, key) => ({ [key]: inner }), value)).trimEnd();
  return [
    ...keys.flatMap((_, index) => comment(path.slice(0, from + index + 1), from)),
    ...text.split("\n").map((line) => `${indent(from)}#${line}`),
  ];
}

const indent = (depth: number) => "  ".repeat(depth);

/** The description of a setting as comment lines. */
function comment(path: readonly string[], depth: number): string[] {
  const words = (schemaAt(path)?.description ?? "").replaceAll("**", "").split(" ").filter(Boolean);
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent(depth)}# ${line}`);
}
