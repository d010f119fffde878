import { primeManifest } from "../manifests/prime-manifest.ts";
import type { Finding } from "../manifests/prime-manifest.ts";
import type { ManifestDocument } from "../manifests/yaml.ts";
import { mutations } from "../mutations/index.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { diff } from "../engine/diff.ts";
import type { JsonPatch } from "../engine/diff.ts";
import { createPrime } from "../engine/prime.ts";
import { report } from "../report/report.ts";
import { readConfig } from "./config.ts";
import { noPodsMessage, readManifestInput } from "./manifest-input.ts";
import { foldScripts, showDiff, wantsColor } from "./show.ts";

export interface RenderOptions {
  readonly output?: RenderOutput;
  readonly config?: string;
  readonly namespace: string;
  readonly podSecurity: PodSecurity;
  /** Also report the mutations that the profile does not configure. */
  readonly explain?: boolean;
  /** Whether the exit code reports changes (program.ts). */
  readonly exitCode?: boolean;
}

export type RenderOutput = "yaml" | "json" | "patch" | "diff";

interface Result {
  document: ManifestDocument;
  manifest: unknown;
  patch: JsonPatch;
  findings: Finding[];
}

/**
 * `arc-primer render`: shows how the webhook would change the pods in a file, without a cluster. Documents without a runner
 * pod pass through byte for byte, so that the command works as a Helm post-renderer (deploy/helm-plugin).
 *
 * @param file a path, or `-` for standard input
 * @returns whether something changes
 * @throws {Error} if the file or the configuration cannot be read. Nothing is printed in that case
 */
export async function render(file: string, options: RenderOptions): Promise<boolean> {
  const { podSecurity, explain: all = false } = options;
  const config = await readConfig(options.config);
  const input = await readManifestInput(file);

  const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
  const results = input.documents.map((document): Result => {
    const { manifest, findings } = primeManifest(document.value, options.namespace, (pod, namespace) =>
      prime(pod, { namespace, podSecurity, config }),
    );
    return { document, manifest, findings, patch: diff(document.value as object, manifest as object) };
  });

  const isJson = /^\s*[[{]/.test(input.text);
  process.stdout.write(write(results, options.output ?? (isJson ? "json" : "yaml"), isJson));
  const findings = results.flatMap((result) => result.findings);
  process.stderr.write(findings.map(({ subject, primed }) => report(subject, primed, { all })).join(""));
  if (findings.length === 0) process.stderr.write(`${noPodsMessage(input)}\n`);
  return results.some(({ patch }) => patch.length > 0);
}

function write(results: readonly Result[], output: RenderOutput, isJson: boolean): string {
  const changed = results.filter(({ patch }) => patch.length > 0);
  switch (output) {
    case "yaml":
      return results
        .map(({ document, manifest, patch }) => (patch.length > 0 ? document.changed(manifest).after : document.source))
        .join("");
    case "json": {
      if (isJson && changed.length === 0) return results.map(({ document }) => document.source).join("");
      const items = results.map(({ manifest }) => manifest).filter((manifest) => manifest !== null);
      if (items.length === 0) return "";
      return json(items.length === 1 ? items[0] : { apiVersion: "v1", kind: "List", items });
    }
    case "patch": {
      const [only, ...others] = changed;
      if (!only) return "";
      if (others.length === 0) return json(only.patch);
      return json(Object.fromEntries(changed.map((result) => [subjectsOf(result), result.patch])));
    }
    case "diff":
      return changed
        .map((result) => {
          const { before, after } = result.document.changed(foldScripts(result.manifest));
          return showDiff(subjectsOf(result), before, after, wantsColor(process.stdout));
        })
        .join("");
  }
}

function subjectsOf({ findings }: Result): string {
  return findings.map(({ subject }) => subject).join(", ");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
