// Prints the version of a tag if all files of the checkout have that version. Otherwise lists the files that differ.
// usage: node scripts/release/version.ts TAG      (in the checkout)
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { sectionOf } from "./changelog.ts";

const semver = /^v((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?)$/;

/**
 * @param read returns the text of a file in the checkout
 * @returns the version, without the tag's v
 * @throws {Error} listing everything that has another version
 */
export function versionOf(tag: string, read: (file: string) => string): string {
  const version = semver.exec(tag)?.[1];
  if (version === undefined) throw new Error(`invalid tag ${tag}: expected a version like v1.2.3 or v1.2.3-rc.1`);
  const manifest = JSON.parse(read("package.json")) as { version: string };
  const lock = JSON.parse(read("package-lock.json")) as { version: string };
  const chart = parse(read("charts/arc-primer/Chart.yaml")) as { version: string; appVersion: string };
  const plugin = parse(read("deploy/helm-plugin/plugin.yaml")) as { version: string };
  const found = {
    "package.json": manifest.version,
    "package-lock.json": lock.version,
    "version in charts/arc-primer/Chart.yaml": chart.version,
    "appVersion in charts/arc-primer/Chart.yaml": chart.appVersion,
    "deploy/helm-plugin/plugin.yaml": plugin.version,
  };
  const mistakes = Object.entries(found).flatMap(([where, is]) => (is === version ? [] : [`${where} is ${is}`]));
  try {
    sectionOf(read("CHANGELOG.md"), version);
  } catch (error) {
    mistakes.push((error as Error).message);
  }
  if (mistakes.length > 0) throw new Error(`the tag is ${tag}, but\n${mistakes.map((one) => `  ${one}`).join("\n")}`);
  return version;
}

if (import.meta.main) {
  try {
    process.stdout.write(`${versionOf(process.argv[2] ?? "", (file) => readFileSync(file, "utf8"))}\n`);
  } catch (error) {
    process.stderr.write(`version: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
