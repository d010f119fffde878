import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const include = /^\. (\.\/shared\/[a-z-]+\.sh)\n/gm;
const directive = /^# shellcheck shell=sh\n/;

/**
 * The text of a script that runs in pods, as the bundle, the tests and the benchmarks import it. A pod gets one text, so
 * each line `. ./shared/NAME.sh` is replaced by that file.
 *
 * @param path the script's absolute path
 * @throws if a shared file is missing
 */
export function podScript(path: string): string {
  const shared = (file: string) => readFileSync(new URL(file, pathToFileURL(path)), "utf8").replace(directive, "");
  return readFileSync(path, "utf8").replaceAll(include, (_line, file: string) => shared(file));
}
