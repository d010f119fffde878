import type { Primed } from "../report/decision.ts";

/** Primes one pod: `prime` with all parameters bound except the pod and its namespace. */
export type PrimePod = (pod: unknown, namespace: string) => Primed;

/** The result for one pod or pod template in a manifest. */
export interface Finding {
  readonly subject: string;
  readonly primed: Primed;
}

interface Fields {
  readonly [key: string]: unknown;
}

/** The path of the pod template in each of ARC's kinds (apis/actions.github.com/v1alpha1). */
const templatePaths: Readonly<Record<string, readonly string[]>> = {
  AutoscalingRunnerSet: ["spec", "template"],
  EphemeralRunnerSet: ["spec", "ephemeralRunnerSpec"],
  EphemeralRunner: ["spec"],
};

/**
 * Primes the runner pods in a manifest: a Pod, the pod template of ARC's kinds, or any of these in a List.
 *
 * @param namespace the namespace for manifests that set none
 * @returns the manifest (the same object if nothing changed) and the findings, in order
 */
export function primeManifest(
  manifest: unknown,
  namespace: string,
  primePod: PrimePod,
): { manifest: unknown; findings: Finding[] } {
  if (!isFields(manifest)) return { manifest, findings: [] };
  const { apiVersion, kind, items } = manifest;
  if (Array.isArray(items)) {
    const whole = items.map((item) => withKind(item, manifest));
    const results = whole.map((item) => primeManifest(item, namespace, primePod));
    const changed = results.map((result, index) => (result.manifest === whole[index] ? items[index] : result.manifest));
    const findings = results.flatMap((result) => result.findings);
    const isChanged = changed.some((item, index) => item !== items[index]);
    return { manifest: isChanged ? { ...manifest, items: changed } : manifest, findings };
  }

  const metadata = isFields(manifest["metadata"]) ? manifest["metadata"] : {};
  const ownNamespace = textOf(metadata["namespace"]) || namespace;
  const subject = `${String(kind)} ${ownNamespace}/${textOf(metadata["name"]) || `${textOf(metadata["generateName"])}*`}`;
  if (apiVersion === "v1" && kind === "Pod") {
    const primed = primePod(manifest, ownNamespace);
    return { manifest: primed.pod, findings: [{ subject, primed }] };
  }
  const path = Object.hasOwn(templatePaths, String(kind)) ? templatePaths[String(kind)] : undefined;
  if (!path || !textOf(apiVersion).startsWith("actions.github.com/")) return { manifest, findings: [] };
  return primeTemplate(manifest, path, (pod) => ({ subject, primed: primePod(pod, ownNamespace) }));
}

/** Primes the pod that ARC would create from a template, and writes its spec and annotations back to the template. */
function primeTemplate(
  manifest: Fields,
  path: readonly string[],
  primeOne: (pod: Fields) => Finding,
): { manifest: unknown; findings: Finding[] } {
  const template = path.reduce<unknown>((value, key) => (isFields(value) ? value[key] : undefined), manifest);
  if (!isFields(template) || !isFields(template["spec"])) return { manifest, findings: [] };
  const metadata = isFields(template["metadata"]) ? template["metadata"] : {};
  const labels = { ...(isFields(metadata["labels"]) ? metadata["labels"] : {}), ...arcLabels(manifest) };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, labels }, spec: template["spec"] };

  const finding = primeOne(pod);
  if (finding.primed.pod === pod) return { manifest, findings: [finding] };
  const primed = finding.primed.pod as typeof pod & { metadata: Fields };
  const annotations = (primed.metadata as Fields)["annotations"];
  const edited = {
    ...template,
    spec: primed.spec,
    metadata: annotations === undefined ? metadata : { ...metadata, annotations },
  };
  return { manifest: replaceAt(manifest, path, edited), findings: [finding] };
}

/** The labels that ARC's controllers set on every pod of a scale set (controllers/actions.github.com/resourcebuilder.go). */
function arcLabels(manifest: Fields): Record<string, string> {
  const metadata = isFields(manifest["metadata"]) ? manifest["metadata"] : {};
  const labels = isFields(metadata["labels"]) ? metadata["labels"] : {};
  // For an AutoscalingRunnerSet, ARC uses the object's name, even if the scale set has another name at GitHub
  // (spec.runnerScaleSetName).
  const scaleSet = textOf(labels["actions.github.com/scale-set-name"]) || textOf(metadata["name"]);
  return {
    "actions-ephemeral-runner": "True",
    "actions.github.com/scale-set-name": scaleSet,
    "app.kubernetes.io/component": "runner",
  };
}

/** Adds kind and apiVersion to an item of a typed list (`kind: PodList`), if they are missing. */
function withKind(item: unknown, list: Fields): unknown {
  if (!isFields(item) || item["kind"] !== undefined) return item;
  return { apiVersion: list["apiVersion"], kind: textOf(list["kind"]).replace(/List$/, ""), ...item };
}

function replaceAt(value: Fields, [key = "", ...rest]: readonly string[], replacement: unknown): Fields {
  return { ...value, [key]: rest.length === 0 ? replacement : replaceAt(value[key] as Fields, rest, replacement) };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
