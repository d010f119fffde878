import { readFileSync } from "node:fs";

const include = /^\. (\.\/shared\/[a-z-]+\.sh)\n/gm;
const directive = /^# shellcheck shell=sh\n/;

/**
 * Converts a script that runs in pods to a JavaScript module that exports its text, for the bundle, the tests and the
 * benchmarks. A pod gets a single text, so each line `. ./shared/NAME.sh` is replaced by the contents of that file.
 *
 * @param path the script's path
 * @returns the module's source
 */
export function podScriptModule(path: string): string {
  // Alternates between script text and the names of shared files.
  const parts = readFileSync(path, "utf8").replace(directive, "").split(include);
  const shared = parts.filter((_, index) => index % 2 === 1);
  const imports = shared.map((file, index) => `import shared${index} from ${JSON.stringify(file)};\n`);
  const text = parts.map((part, index) => (index % 2 === 1 ? `shared${index >> 1}` : JSON.stringify(part)));
  return `${imports.join("")}export default ${text.join(" + ")};\n`;
}
