import { LineCounter, isAlias, isMap, isNode, isSeq, parseDocument } from "yaml";
import type { Document } from "yaml";
import { resolve } from "./resolve.ts";
import { spell } from "./problem.ts";
import type { Path, Problem } from "./problem.ts";
import { configHead } from "./schema.ts";
import type { Config } from "./schema.ts";
import { warningsOf } from "./warnings.ts";

/** Thrown for an invalid configuration. Lists every problem, one per line: `file:line path: message`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(`${source}: ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}\n${problems.join("\n")}`);
    this.problems = problems;
  }
}

/** The built-in configuration, used without a file: the default profile for every runner. */
export const defaultConfig: Config = resolve(configHead).config!;

/**
 * Reads a configuration file's text (YAML or JSON).
 *
 * @param source the file's name, for the error messages
 * @returns the resolved, deeply frozen configuration
 * @throws {ConfigError} with every problem found, each with its line and path
 */
export function parseConfig(text: string, source: string): Config {
  return parseWithWarnings(text, source).config;
}

/** Like `parseConfig`, but also returns warnings: one sentence each, with its line and path. */
export function parseWithWarnings(text: string, source: string): { config: Config; warnings: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const at = (offset: number) => `${source}:${lines.linePos(offset).line}`;
  const syntax = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    pos,
    message: yamlMistakes[code] ?? message,
  }));
  if (syntax.length > 0)
    throw new ConfigError(
      source,
      syntax.map(({ pos, message }) => `${at(pos[0])} ${message}`),
    );

  const sentences = (problems: readonly Problem[]) =>
    problems
      .map((problem) => ({ ...problem, offset: offsetOf(document, problem.path) }))
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ path, message, offset }) =>
        [at(offset), ...(path.length > 0 ? [`${spell(path)}:`] : []), message].join(" "),
      );
  const { config, problems } = resolve(document.toJS());
  if (!config) throw new ConfigError(source, sentences(problems));
  return { config, warnings: sentences(warningsOf(config)) };
}

/** Messages for common mistakes in YAML, in place of the parser's own. */
const yamlMistakes: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second YAML document begins here; a configuration must be a single document",
  DUPLICATE_KEY: "duplicate key",
  TAB_AS_INDENT: "the line is indented with a tab; YAML allows only spaces",
};

/** The offset of a path in the text: of its last key, or, if that does not exist, of the last key that exists. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of path) {
    const { key: name, value } = entryOf(isAlias(node) ? node.resolve(document) : node, key);
    offset = startOf(name) ?? startOf(value) ?? offset;
    node = value;
  }
  return offset;
}

/** The key node and the value node of an entry in a map or list. */
function entryOf(node: unknown, key: PropertyKey): { key?: unknown; value?: unknown } {
  if (isSeq(node)) return { value: node.items[Number(key)] };
  const pair = isMap(node) ? node.items.find((item) => String(item.key) === String(key)) : undefined;
  return pair ?? {};
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
