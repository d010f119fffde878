import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { defaultConfig, parseConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";

/**
 * The configuration in a file, or the built-in default where no file is named.
 *
 * @throws {ConfigError} with every problem in it; or the file system's error
 */
export async function readConfig(file: string | undefined): Promise<Config> {
  return file === undefined ? defaultConfig : parseConfig(await readFile(file, "utf8"), file);
}

/** `arc-primer config check`: prints the resolved profiles and rules, or throws what `readConfig` throws. */
export async function checkConfig(file: string): Promise<void> {
  const config = await readConfig(file);
  process.stdout.write(stringify(config, { aliasDuplicateObjects: false }));
}
