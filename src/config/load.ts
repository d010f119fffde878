import { LineCounter, parseDocument } from "yaml";
import type { Document } from "yaml";
import { resolve } from "./resolve.ts";
import type { Path, Problem } from "./problem.ts";
import { configHead } from "./schema.ts";
import type { Config } from "./schema.ts";
import { warningsOf } from "./warnings.ts";

/** A configuration that was refused, with all that is wrong with it, one problem a line: `file:line path: message`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(`${source}: ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}\n${problems.join("\n")}`);
    this.problems = problems;
  }
}

/** The configuration that is in force when no file is given: the default profile, for every runner. */
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

/** The same, with what is no error and ought to be looked at: one sentence each, with its line and path. */
export function parseWithWarnings(text: string, source: string): { config: Config; warnings: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const at = (offset: number) => `${source}:${lines.linePos(offset).line}`;
  const syntax = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    pos,
    message: code === "MULTIPLE_DOCS" ? "a second document begins here: a configuration is one document" : message,
  }));
  if (syntax.length > 0)
    throw new ConfigError(
      source,
      syntax.map(({ pos, message }) => `${at(pos[0])} ${message}`),
    );

  const sentence = ({ path, message }: Problem) => {
    const offset = offsetOf(document, path);
    return [offset === undefined ? source : at(offset), ...(path.length > 0 ? [`${spell(path)}:`] : []), message].join(
      " ",
    );
  };
  const { config, problems } = resolve(document.toJS());
  if (!config) throw new ConfigError(source, problems.map(sentence));
  return { config, warnings: warningsOf(config).map(sentence) };
}

/** `rules[0].profile`, `registries["ghcr.io"].mirrors`. */
function spell(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!/^[\w-]+$/.test(String(key))) return `${text}[${JSON.stringify(String(key))}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, "");
}

/** Where the value at that path stands in the text; of a missing one, where its parent stands. */
function offsetOf(document: Document, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return node.range[0];
  }
  return undefined;
}
