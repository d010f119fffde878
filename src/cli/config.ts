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
 * @throws {ConfigError} with every problem in the file
 * @throws the file system's error if the file cannot be read
 */
export async function readConfig(file: string | undefined): Promise<Config> {
  return file === undefined ? defaultConfig : parseConfig(await readFile(file, "utf8"), file);
}

/**
 * `arc-primer config check`: checks a configuration and prints a summary. Warnings go to stderr. With `resolved`, prints
 * the configuration with `extends` resolved and all defaults filled in. This output is itself a valid configuration.
 *
 * @param file a path, or `-` for standard input
 * @throws as `readConfig` does
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
export function printInitialConfig(): void {
  process.stdout.write(configStart());
}
