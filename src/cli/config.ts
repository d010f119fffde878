import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { configJsonSchema } from "../config/json-schema.ts";
import { defaultConfig, parseConfig, parseWithWarnings } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { configStart } from "../config/start.ts";
import { writtenConfig } from "../config/written.ts";

/**
 * Reads the configuration from a file. Without a file, returns the built-in default.
 *
 * @throws {ConfigError} lists every problem in the file; a file that cannot be read throws the file system's error
 */
export async function readConfig(file: string | undefined): Promise<Config> {
  return file === undefined ? defaultConfig : parseConfig(await readFile(file, "utf8"), file);
}

/**
 * `arc-primer config check`: says that a configuration is good, with warnings on stderr, or throws what `readConfig`
 * throws. With `resolved`, prints the resolved configuration instead: a configuration again, with `extends` and defaults
 * filled in.
 *
 * @param file a path, or `-` for standard input
 */
export async function checkConfig(file: string, { resolved = false }: { resolved?: boolean }): Promise<void> {
  const isInput = file === "-";
  const text = isInput ? await readStream(process.stdin) : await readFile(file, "utf8");
  const { config, warnings } = parseWithWarnings(text, isInput ? "standard input" : file);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(resolved ? writtenConfig(config) : `ok: ${summary(config)}\n`);
}

function summary({ mode, profiles, rules }: Config): string {
  const parts = [count(Object.keys(profiles).length, "profile"), count(rules.length, "rule")];
  return [...parts, ...(mode === "audit" ? ["mode audit, which changes no pod"] : [])].join(", ");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** `arc-primer config schema`: prints the JSON Schema of a configuration. */
export function printSchema(): void {
  const title = "arc-primer's PrimerConfiguration";
  process.stdout.write(`${JSON.stringify({ title, ...configJsonSchema() }, null, 2)}\n`);
}

/** `arc-primer config init`: prints a configuration to start from. */
export function printStart(): void {
  process.stdout.write(configStart());
}
