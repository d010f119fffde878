import { defaultConfig, parseWithWarnings } from "../../src/config/load.ts";
import { runChecks } from "../../src/cluster/checks/check.ts";
import type { Check } from "../../src/cluster/checks/check.ts";
import type { Node, PodObject, Webhook, Workload } from "../../src/cluster/objects.ts";
import type { Readings, Release, Trial } from "../../src/cluster/readings.ts";
import { podOfScaleSet } from "../../src/cluster/scale-set.ts";
import { createPrime } from "../../src/engine/prime.ts";
import { mutations } from "../../src/mutations/index.ts";
import type { Pod } from "../../src/pod/types.ts";
import { examplePem, goldenPod } from "./pods.ts";

// What doctor reads of a cluster where everything is in order, for tests that change a part of it.

export const now = Date.parse("2026-11-26T12:00:00Z");
const day = 86_400_000;
const forbidden = { forbidden: 'User "reader" cannot do that' } as const;
/** The reading of somebody without the right to it. */
export const mayNot = forbidden;

const prime = createPrime({ mutations, version: "0.1.0" });
export const inject = { "arc-primer.dev/inject": "enabled" };
const labels = { "app.kubernetes.io/name": "arc-primer", "app.kubernetes.io/instance": "arc-primer" };
const webhookLabels = { ...labels, "app.kubernetes.io/component": "webhook", "app.kubernetes.io/version": "0.1.0" };
const runnersOnly = { matchLabels: { "actions-ephemeral-runner": "True" } };

export function node(name: string, info: object = {}): Node {
  const nodeInfo = {
    kubeletVersion: "v1.37.2",
    containerRuntimeVersion: "containerd://2.1.4",
    operatingSystem: "linux",
  };
  return { metadata: { name, labels: {} }, status: { nodeInfo: { ...nodeInfo, ...info } } };
}

/** An entry as the chart makes it; by its path the webhook knows the level. */
export function entry(level: "privileged" | "baseline" | "restricted", changes: Partial<Webhook> = {}): Webhook {
  const key = "pod-security.kubernetes.io/enforce";
  const isDefault = level === "privileged";
  const suffix = isDefault ? "" : `-${level}`;
  return {
    name: `runners${suffix}.arc-primer.dev`,
    clientConfig: {
      service: { namespace: "primer", name: "arc-primer", port: 443, path: `/mutate${suffix.replace("-", "/")}` },
      caBundle: Buffer.from(examplePem).toString("base64"),
    },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    failurePolicy: "Ignore",
    sideEffects: "None",
    timeoutSeconds: 5,
    objectSelector: runnersOnly,
    namespaceSelector: {
      matchLabels: inject,
      matchExpressions: [
        { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "primer"] },
        isDefault
          ? { key, operator: "NotIn", values: ["baseline", "restricted"] }
          : { key, operator: "In", values: [level] },
      ],
    },
    ...changes,
  };
}

export const allEntries = [entry("privileged"), entry("baseline"), entry("restricted")];

/** The registration with these entries. */
export function registered(webhooks: readonly Webhook[]): Release["registration"] {
  return { metadata: { name: "arc-primer", annotations: { "admissions.enforcer/disabled": "true" } }, webhooks };
}

export const deployment: Workload = {
  metadata: { name: "arc-primer", namespace: "primer" },
  spec: {
    replicas: 2,
    template: {
      metadata: { labels: webhookLabels },
      spec: {
        containers: [
          { name: "webhook", image: "arc-primer:0.1.0", ports: [{ name: "webhook", containerPort: 10250 }] },
        ],
      },
    },
  },
  status: { replicas: 2, readyReplicas: 2, updatedReplicas: 2 },
};

export function replica(name: string, image: { image?: string; imageID?: string } = {}): PodObject {
  const { image: tag = "arc-primer:0.1.0", imageID = "sha256:one" } = image;
  return {
    metadata: { name, namespace: "primer", labels: webhookLabels },
    spec: { containers: [{ name: "webhook", image: tag }] },
    status: { phase: "Running", containerStatuses: [{ name: "webhook", imageID }] },
  };
}

/** A replica's certificate, and what it answers. */
export function conversation(name: string, changes: Partial<Release["conversations"][number]> = {}) {
  return {
    with: name,
    certificate: { found: { distrusted: undefined, notBefore: now - 10 * day, notAfter: now + 80 * day } },
    answers: { found: ["the answer"] },
    expected: undefined,
    ...changes,
  };
}

export function configuration(text: string): Release["configuration"] {
  return { name: "arc-primer", text: { found: text }, parsed: parseWithWarnings(text, "config.yaml") };
}

export const headed = (more: object) =>
  JSON.stringify({ apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", ...more });

/** A scale set with this golden pod's spec, and its dry run: the pod that the API server answers. */
export function trial(name: string, golden = "dind-sidecar", changes: Partial<Trial> = {}): Trial {
  const scaleSet = {
    kind: "AutoscalingRunnerSet",
    metadata: { name, namespace: "ci" },
    spec: { template: { spec: goldenPod(golden).spec } },
  };
  const pod = podOfScaleSet(scaleSet)!;
  const config = defaultConfig;
  const primed = prime(pod, { namespace: "ci", podSecurity: "privileged", config });
  const answer = { status: 201, object: primed.pod, warnings: [] };
  return { scaleSet, namespace: "ci", pod, podSecurity: "privileged", primed, answer, ...changes };
}

/** The answer to a dry run with this pod. */
export const created = (object: unknown, status = 201) => ({ status, object, warnings: [] });

/** A copy of a trial's pod, as the API server answered it, with a change. */
export function answered(
  { answer }: Trial,
  change: (pod: Pod) => void,
): { status: number; object: Pod; warnings: string[] } {
  const object = structuredClone((answer as { object: Pod }).object);
  change(object);
  return { status: 201, object, warnings: [] };
}

/** Readings of a cluster in order, with these changes; those of `release` go into its release. */
export function readings(changes: Partial<Readings> = {}, release: Partial<Release> = {}): Readings {
  const space = { metadata: { name: "ci", labels: inject } };
  const one = trial("linux");
  const endpoint = { addresses: ["10.0.0.1"], conditions: { ready: true } };
  const imageVolume = { spec: { volumes: [{ name: "image", image: {} }] } };
  return {
    now,
    ownVersion: "0.1.0",
    version: { found: { major: "1", minor: "37", gitVersion: "v1.37.2" } },
    apiGroups: { found: ["apps", "actions.github.com"] },
    nodes: { found: [node("a"), node("b")] },
    mutating: { found: [registered(allEntries)] },
    validating: { found: [] },
    backends: {},
    release: {
      registration: registered(allEntries),
      namespace: "primer",
      service: { found: { metadata: { name: "arc-primer", namespace: "primer" }, spec: { ports: [{ port: 443 }] } } },
      endpoints: { found: [{ metadata: { name: "x" }, endpoints: [endpoint, endpoint] }] },
      deployment: { found: deployment },
      replicas: { found: [replica("a"), replica("b")] },
      caches: { found: [] },
      bundleServers: { found: [] },
      configuration: configuration(headed({})),
      conversations: [conversation("a"), conversation("b")],
      ...release,
    },
    namespaces: { found: [space, { metadata: { name: "default" } }] },
    scaleSets: { found: [one.scaleSet] },
    imageVolume: created(imageVolume),
    trials: [one],
    references: [],
    runnerPods: { found: [] },
    ...changes,
  };
}

const marks = { ok: "✓", warn: "!", fail: "✗", unknown: "?" } as const;

/** What a check says of these readings: a mark for each line, with the problem's code. */
export function says(check: Check, of: Readings): string[] {
  return runChecks([check], of).map(
    ({ status, problem }) => `${marks[status]}${problem === undefined ? "" : ` ${problem}`}`,
  );
}

/** What a check has found, in its words. */
export function words(check: Check, of: Readings): string {
  return runChecks([check], of)
    .map(({ what, do: advice = "" }) => `${what} ${advice}`.trim())
    .join("\n");
}
