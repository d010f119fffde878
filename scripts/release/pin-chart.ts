// Prepares a copy of the chart for publishing: pins the image by digest in values.yaml, and adds the repository's URL and
// Artifact Hub's annotations to Chart.yaml. Comments are preserved.
// usage: node scripts/release/pin-chart.ts FOLDER IMAGE@sha256:… REPOSITORY-URL      (in the checkout)
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseDocument, stringify } from "yaml";
import type { Document } from "yaml";
import { changesOf, sectionOf } from "./changelog.ts";

/** The parts of `REGISTRY/PATH@sha256:…`. */
export interface PinnedImage {
  readonly registry: string;
  readonly path: string;
  readonly digest: string;
}

/** @throws {Error} if the text has no registry, has a tag, or has no digest */
export function pinnedImage(text: string): PinnedImage {
  const [, registry, path, digest] = /^([^/@]+[.:][^/@]*)\/([^@:]+)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (registry && path && digest) return { registry, path, digest };
  throw new Error(`${text} is not an image with registry and digest, like registry.example.com/arc-primer@sha256:…`);
}

/** Returns values.yaml with this image. */
export function pinnedValues(text: string, { registry, path, digest }: PinnedImage): string {
  const values = parseDocument(text);
  const set = (key: string, value: string) => setExisting(values, ["image", key], value);
  set("registry", registry);
  set("repository", path);
  set("digest", digest);
  return String(values);
}

/** Returns Chart.yaml with its home and sources, and with Artifact Hub's annotations. */
export function annotatedChart(
  text: string,
  parts: { image: string; url: string; annotations: object; changelog: string },
): string {
  const chart = parseDocument(text);
  const version = String(chart.get("version"));
  const where = { home: parts.url, sources: [parts.url] };
  for (const [key, value] of Object.entries(where)) if (!chart.has(key)) chart.set(key, value);
  const perRelease = {
    "artifacthub.io/prerelease": String(version.includes("-")),
    "artifacthub.io/changes": stringify(changesOf(sectionOf(parts.changelog, version))),
    "artifacthub.io/images": stringify([
      { name: "arc-primer", image: parts.image, platforms: ["linux/amd64", "linux/arm64"] },
    ]),
    "artifacthub.io/links": stringify([{ name: "source", url: parts.url }]),
  };
  for (const [key, value] of Object.entries(parts.annotations)) {
    if (!chart.hasIn(["annotations", key])) chart.setIn(["annotations", key], value);
  }
  for (const [key, value] of Object.entries(perRelease)) chart.setIn(["annotations", key], value);
  return String(chart);
}

function setExisting(document: Document, path: string[], value: string): void {
  if (!document.hasIn(path)) throw new Error(`values.yaml has no ${path.join(".")}, which is needed for the image`);
  document.setIn(path, value);
}

function main([folder = "", image = "", url = ""]: string[]): void {
  const edit = (file: string, change: (text: string) => string) =>
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), "utf8")));
  const pinned = pinnedImage(image);
  if (!url.startsWith("https://"))
    throw new Error(`${url || "the third argument"} is not an https URL of the repository`);
  const annotations = parse(readFileSync(new URL("artifacthub.yaml", import.meta.url), "utf8")) as object;
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  edit("values.yaml", (text) => pinnedValues(text, pinned));
  edit("Chart.yaml", (text) => annotatedChart(text, { image, url, annotations, changelog }));
}

if (import.meta.main) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`pin-chart: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
