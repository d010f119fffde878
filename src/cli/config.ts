import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { defaultConfig, parseConfig, parseWithWarnings } from "../config/load.ts";
import { configHead } from "../config/schema.ts";
import type { Config } from "../config/schema.ts";

/**
 * The configuration in a file, or the built-in default where no file is named.
 *
 * @throws {ConfigError} with every problem in it; or the file system's error
 */
export async function readConfig(file: string | undefined): Promise<Config> {
  return file === undefined ? defaultConfig : parseConfig(await readFile(file, "utf8"), file);
}

/**
 * `arc-primer config check`: prints the resolved configuration, which is one again, with `extends` and defaults filled
 * in, and warnings on stderr; or throws what `readConfig` throws.
 */
export async function checkConfig(file: string): Promise<void> {
  const { config: read, warnings } = parseWithWarnings(await readFile(file, "utf8"), file);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const { mode, profiles, rules } = read;
  const written = Object.entries(profiles).map(([key, { name: _name, ...profile }]) => [key, profile]);
  const config = { ...configHead, mode, profiles: Object.fromEntries(written), rules };
  process.stdout.write(stringify(config, asWritten, { aliasDuplicateObjects: false }));
}

/** The settings that are durations: numbers, in milliseconds, once they are read. */
const durations = new Set(["timeout", "interval", "gracePeriod", "reserve"]);

function asWritten(key: unknown, value: unknown): unknown {
  return durations.has(String(key)) && typeof value === "number" ? `${value}ms` : value;
}
