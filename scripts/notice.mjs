// The text of NOTICE: the licences of all packages that the bundle is made of. Most ask that their text goes along.
import { readFile, readdir } from "node:fs/promises";

/** What may be in the bundle: each lets it be given away under any terms, as long as its text goes along. */
const accepted = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"]);
const licenceFile = /^(un)?(licen[cs]e|copying|notice)/i;

/**
 * @param {readonly string[]} inputs the paths of the files that the bundle is made of
 * @returns {Promise<string>} one part a package, in the order of their names
 * @throws {Error} naming every package without a licence text, and every one whose licence is not accepted
 */
export async function notice(inputs) {
  const folders = new Set(inputs.map((path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const packages = await Promise.all([...folders].map(licenceOf));
  const mistakes = packages.flatMap(({ head, license, texts }) => [
    ...(accepted.has(license) ? [] : [`${head}: the licence is not one of ${[...accepted].join(", ")}`]),
    ...(texts.length > 0 ? [] : [`${head}: the package has no file with the text of its licence`]),
  ]);
  if (mistakes.length > 0) throw new Error(`NOTICE cannot be written (scripts/notice.mjs):\n${mistakes.join("\n")}`);
  const parts = packages.map(({ head, texts }) => [head, ...texts].join("\n\n")).toSorted((a, b) => (a < b ? -1 : 1));
  const about =
    "arc-primer is under the Apache License 2.0. Its program contains the packages below, each under its own.";
  return `${[about, ...new Set(parts)].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).toSorted();
  const texts = await Promise.all(files.map(async (file) => (await readFile(`${folder}/${file}`, "utf8")).trim()));
  return { head: `${name} ${version} (${license})`, license, texts: texts.filter((text) => text !== "") };
}
