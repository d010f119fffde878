import { text as readStream } from "node:stream/consumers";
import { readText } from "../files.ts";
import { readManifests } from "../manifests/yaml.ts";
import type { ManifestDocument } from "../manifests/yaml.ts";
import { startProgress } from "./progress.ts";

/** Manifests from a file or from standard input. */
export interface ManifestInput {
  /** The name of the input in messages. */
  readonly name: string;
  readonly text: string;
  readonly documents: readonly ManifestDocument[];
}

/**
 * Reads manifests from a file.
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

/** The message for an input without runner pods. It contains a hint if the input looks like values of ARC's chart. */
export function noPodsMessage({ name, documents }: ManifestInput): string {
  const isArcValues = documents.some(({ value }) => looksLikeArcValues(value));
  if (!isArcValues) return `${name}: contains no pods and no ARC runner templates`;
  return `${name} looks like values of ARC's chart gha-runner-scale-set. Render the chart first:
  helm template NAME oci://ghcr.io/actions/actions-runner-controller-charts/gha-runner-scale-set -f ${name === "standard input" ? "values.yaml" : name} | arc-primer render`;
}

/**
 * Whether a document looks like values of ARC's chart: it has no kind, and has either the chart's required setting or at
 * least two of its other settings.
 */
function looksLikeArcValues(value: unknown): boolean {
  if (typeof value !== "object" || value === null || "kind" in value || "apiVersion" in value) return false;
  if ("githubConfigUrl" in value) return true;
  const chartSettings = [
    "githubConfigSecret",
    "containerMode",
    "runnerScaleSetName",
    "runnerGroup",
    "minRunners",
  ].concat(
    ["maxRunners", "listenerTemplate", "template", "controllerServiceAccount", "githubServerTLS"], //
  );
  return chartSettings.filter((key) => key in value).length >= 2;
}
