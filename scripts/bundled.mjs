// Documents the contents of the bundle: the licences (NOTICE; most licences require that their text is included), and the
// packages with their versions (sbom.cdx.json), which scanners cannot find in a bundle.
import { readFile, readdir } from "node:fs/promises";

/** Licences that are allowed in the bundle. They permit distribution under any terms if their text is included. */
const accepted = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"]);
const ownTexts = new URL("licences/", import.meta.url);
const licenceFile = /^(un)?(licen[cs]e|copying|notice)/i;

/**
 * @param {readonly string[]} inputs the paths of the files in the bundle
 * @returns {Promise<{ name: string, version: string, license: string, texts: string[] }[]>} the packages, by name
 * @throws {Error} listing every package without a licence text or with a licence that is not accepted
 */
export async function bundledPackages(inputs) {
  const folders = new Set(inputs.map((path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const found = await Promise.all([...folders].map(packageIn));
  const packages = [...new Map(found.map((one) => [titleOf(one), one])).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => one);
  const mistakes = packages.flatMap((one) => [
    ...(accepted.has(one.license) ? [] : [`${titleOf(one)}: the licence is not one of ${[...accepted].join(", ")}`]),
    ...(one.texts.length > 0 ? [] : [`${titleOf(one)}: the package contains no licence text`]),
  ]);
  if (mistakes.length === 0) return packages;
  throw new Error(`packages that must not be in the bundle (scripts/bundled.mjs):\n${mistakes.join("\n")}`);
}

/** The text of NOTICE. */
export function notice(packages) {
  const about =
    "arc-primer is licensed under the Apache License 2.0. It contains the packages below, each under its own licence.";
  const parts = packages.map((one) => [titleOf(one), ...one.texts].join("\n\n"));
  return `${[about, ...parts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/** The packages as a software bill of materials (SBOM) in CycloneDX format. */
export function billOfMaterials(packages, version) {
  const component = (type, name, itsVersion, license) => {
    const purl = `pkg:npm/${name.replace("@", "%40")}@${itsVersion}`;
    return { type, "bom-ref": purl, name, version: itsVersion, purl, licenses: [{ license: { id: license } }] };
  };
  return `${JSON.stringify({
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: component("application", "arc-primer", version, "Apache-2.0") },
    components: packages.map((one) => component("library", one.name, one.version, one.license)),
  })}\n`;
}

async function packageIn(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).toSorted();
  const paths = files.length > 0 ? files.map((file) => `${folder}/${file}`) : await ownTextOf(name);
  const texts = await Promise.all(paths.map(async (path) => (await readFile(path, "utf8")).trim()));
  return { name, version, license, texts: texts.filter((text) => text !== "") };
}

/** The licence text in scripts/licences, for a package that declares its licence but does not contain the text. */
async function ownTextOf(name) {
  const file = `${name.replace("/", "+")}.txt`;
  const there = (await readdir(ownTexts)).includes(file);
  return there ? [new URL(file, ownTexts)] : [];
}

const titleOf = ({ name, version, license }) => `${name} ${version} (${license})`;
