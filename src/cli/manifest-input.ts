import { text as readStream } from "node:stream/consumers";
import { readText } from "../files.ts";
import { readManifests } from "../manifests/yaml.ts";
import type { ManifestDocument } from "../manifests/yaml.ts";
import { startProgress } from "./progress.ts";

/** Manifests, and what their file is called in messages. */
export interface ManifestInput {
  readonly name: string;
  readonly text: string;
  readonly documents: readonly ManifestDocument[];
}

/**
 * Reads manifests.
 *
 * @param file a path, or `-` for standard input
 * @throws {Error} if the file cannot be read, or is neither YAML nor JSON
 */
export async function readManifestInput(file: string): Promise<ManifestInput> {
  const isInput = file === "-";
  const name = isInput ? "standard input" : file;
  const text = isInput ? await readInput() : await readText(file);
  return { name, text, documents: readManifests(text, name) };
}

async function readInput(): Promise<string> {
  const progress = startProgress();
  progress.say("reading standard input");
  try {
    return await readStream(process.stdin);
  } finally {
    progress.stop();
  }
}

/** What to tell where a file has no runner pods: a hint where it looks like the values of ARC's chart. */
export function nothingFound({ name, documents }: ManifestInput): string {
  const isArcValues = documents.some(({ value }) => looksLikeArcValues(value));
  if (!isArcValues) return `${name}: no pods and no ARC runner templates in it`;
  return `${name} looks like values of ARC's chart gha-runner-scale-set, which makes the pod template of them:
  helm template NAME oci://ghcr.io/actions/actions-runner-controller-charts/gha-runner-scale-set -f ${name === "standard input" ? "values.yaml" : name} | arc-primer render`;
}

/** Values have no kind, and settings that only this chart has: at least one that it requires, or two. */
function looksLikeArcValues(value: unknown): boolean {
  if (typeof value !== "object" || value === null || "kind" in value || "apiVersion" in value) return false;
  if ("githubConfigUrl" in value) return true;
  const known = ["githubConfigSecret", "containerMode", "runnerScaleSetName", "runnerGroup", "minRunners"].concat(
    ["maxRunners", "listenerTemplate", "template", "controllerServiceAccount", "githubServerTLS"], //
  );
  return known.filter((key) => key in value).length >= 2;
}
