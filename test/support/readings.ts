import { expect, test } from "vitest";
import { defaultConfig, parseWithWarnings } from "../../src/config/load.ts";
import { runChecks } from "../../src/cluster/checks/check.ts";
import type { Check } from "../../src/cluster/checks/check.ts";
import type { Node, PodObject, Webhook, Workload } from "../../src/cluster/objects.ts";
import type { Readings, Release, DryRun } from "../../src/cluster/readings.ts";
import { podOfScaleSet } from "../../src/cluster/scale-set.ts";
import { createPrime } from "../../src/engine/prime.ts";
import { mutations } from "../../src/mutations/index.ts";
import type { Pod } from "../../src/pod/types.ts";
import { examplePem, goldenPod } from "./pods.ts";

// What doctor reads from a healthy cluster. Tests change a part of it.

export const now = Date.parse("2026-11-26T12:00:00Z");
const day = 86_400_000;
/** The result of a read without permission. */
export const forbidden = { forbidden: 'User "reader" cannot do that' } as const;

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

/** An entry as the chart creates it. */
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

/** The webhook configuration with these entries. */
export function configurationWith(webhooks: readonly Webhook[]): Release["webhookConfiguration"] {
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

/** A call to a replica: its certificate and its responses. */
export function webhookCall(name: string, changes: Partial<Release["calls"][number]> = {}) {
  return {
    name,
    certificate: { found: { distrusted: undefined, notBefore: now - 10 * day, notAfter: now + 80 * day } },
    responses: { found: ["the response"] },
    expected: undefined,
    ...changes,
  };
}

export function configuration(text: string): Release["configuration"] {
  return { name: "arc-primer", text: { found: text }, parsed: parseWithWarnings(text, "config.yaml") };
}

export const configText = (more: object) =>
  JSON.stringify({ apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", ...more });

/** A scale set with the spec of this golden pod, and its dry run, which returns the primed pod. */
export function dryRun(name: string, golden = "dind-sidecar", changes: Partial<DryRun> = {}): DryRun {
  const scaleSet = {
    kind: "AutoscalingRunnerSet",
    metadata: { name, namespace: "ci" },
    spec: { template: { spec: goldenPod(golden).spec } },
  };
  const pod = podOfScaleSet(scaleSet)!;
  const config = defaultConfig;
  const primed = prime(pod, { namespace: "ci", podSecurity: "privileged", config });
  const response = { status: 201, object: primed.pod, warnings: [] };
  return { scaleSet, namespace: "ci", pod, podSecurity: "privileged", primed, response, ...changes };
}

/** The response to a dry run that returns this object. */
export const created = (object: unknown, status = 201) => ({ status, object, warnings: [] });

/** The response to a dry run, with a change of the returned pod. */
export function changedResponse(
  { response }: DryRun,
  change: (pod: Pod) => void,
): { status: number; object: Pod; warnings: string[] } {
  const object = structuredClone((response as { object: Pod }).object);
  change(object);
  return { status: 201, object, warnings: [] };
}

/** The readings of a healthy cluster, with these changes. Those in `release` apply to its release. */
export function readings(changes: Partial<Readings> = {}, release: Partial<Release> = {}): Readings {
  const space = { metadata: { name: "ci", labels: inject } };
  const one = dryRun("linux");
  const endpoint = { addresses: ["10.0.0.1"], conditions: { ready: true } };
  const imageVolume = { spec: { volumes: [{ name: "image", image: {} }] } };
  return {
    now,
    ownVersion: "0.1.0",
    version: { found: { major: "1", minor: "37", gitVersion: "v1.37.2" } },
    apiGroups: { found: ["apps", "actions.github.com"] },
    nodes: { found: [node("a"), node("b")] },
    mutating: { found: [configurationWith(allEntries)] },
    validating: { found: [] },
    backends: {},
    release: {
      webhookConfiguration: configurationWith(allEntries),
      namespace: "primer",
      service: { found: { metadata: { name: "arc-primer", namespace: "primer" }, spec: { ports: [{ port: 443 }] } } },
      endpoints: { found: [{ metadata: { name: "x" }, endpoints: [endpoint, endpoint] }] },
      deployment: { found: deployment },
      replicas: { found: [replica("a"), replica("b")] },
      caches: { found: [] },
      bundleServers: { found: [] },
      configuration: configuration(configText({})),
      calls: [webhookCall("a"), webhookCall("b")],
      ...release,
    },
    namespaces: { found: [space, { metadata: { name: "default" } }] },
    scaleSets: { found: [one.scaleSet] },
    imageVolume: created(imageVolume),
    dryRuns: [one],
    references: [],
    runnerPods: { found: [] },
    ...changes,
  };
}

const marks = { ok: "✓", warn: "!", fail: "✗", unknown: "?" } as const;

/** The results of a check: for each one its mark and the code of the problem. */
export function marksOf(check: Check, of: Readings): string[] {
  return runChecks([check], of).map(
    ({ status, problem }) => `${marks[status]}${problem === undefined ? "" : ` ${problem}`}`,
  );
}

/** The texts of the results of a check: what was found, and the advice. */
export function textOf(check: Check, of: Readings): string {
  return runChecks([check], of)
    .map(({ what, do: advice = "" }) => `${what} ${advice}`.trim())
    .join("\n");
}

/** The readings of a healthy cluster, with these changes in the release. */
export const inRelease = (release: Partial<Release>): Readings => readings({}, release);

/**
 * Adds a test for each case, which compares the results of a check.
 *
 * @param readingsOf turns the input of a case into readings: `readings` or `inRelease`
 * @param cases name of the test, input, and expected marks with codes
 */
export function testCheck<Input>(
  check: Check,
  readingsOf: (input: Input) => Readings,
  cases: readonly (readonly [name: string, input: NoInfer<Input>, expected: readonly string[]])[],
): void {
  test.each(cases)("%s", (_, input, expected) => expect(marksOf(check, readingsOf(input))).toEqual(expected));
}
