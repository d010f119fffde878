import type { Config } from "../config/schema.ts";
import type { Prime } from "../engine/prime.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { admissionReview } from "./admission-review.ts";
import type { Cluster } from "./connect.ts";
import type { ReviewRequest } from "./call-webhook.ts";
import { entryPaths, levelOf } from "./entries.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { Namespace, Node, PodObject, WebhookConfiguration } from "./objects.ts";
import { readBackends } from "./read-backends.ts";
import { callReplicas, readRelease } from "./read-release.ts";
import { foundOr, injectLabel, isOurs, labelledNamespaces } from "./readings.ts";
import type { Readings, Release, DryRun } from "./readings.ts";
import { readReferences, dryRunImageVolume, dryRunScaleSet } from "./read-dry-runs.ts";
import { plainRunner } from "./plain-pods.ts";
import { arcPaths } from "./scale-set.ts";
import type { ArcObject } from "./scale-set.ts";

/** The dependencies of `readCluster`. */
export interface ReadingParts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly ownVersion: string;
  /** The engine, as `render` and `serve` use it. */
  readonly prime: Prime;
  /** The webhook's response to a review with this configuration. */
  admit(review: object, podSecurity: PodSecurity, config: Config): string;
  /** Called with a description of the current step, to show progress. */
  progress(what: string): void;
}

/** The maximum number of reviews that each replica receives. */
const maxReviews = 10;

/**
 * Reads everything that the checks need, and changes nothing: pods are created as dry runs, and replicas receive the reviews
 * that the API server would send. What cannot be read is recorded with the reason.
 */
export async function readCluster(cluster: Cluster, parts: ReadingParts): Promise<Readings> {
  const { progress, now, ownVersion } = parts;
  progress("reading nodes, webhooks, namespaces and scale sets");
  const admissionApi = "/apis/admissionregistration.k8s.io/v1";
  const [groups, nodes, mutating, validating, namespaces, scaleSets, runnerPods] = await Promise.all([
    cluster.get<{ groups?: { name: string }[] }>("/apis"),
    cluster.list<Node>("/api/v1/nodes"),
    cluster.list<WebhookConfiguration>(`${admissionApi}/mutatingwebhookconfigurations`),
    cluster.list<WebhookConfiguration>(`${admissionApi}/validatingwebhookconfigurations`),
    cluster.list<Namespace>("/api/v1/namespaces"),
    cluster.list<ArcObject>(arcPaths.AutoscalingRunnerSet),
    cluster.list<PodObject>("/api/v1/pods", { labelSelector: "actions-ephemeral-runner=True" }),
  ]);
  const webhookConfiguration = foundOr(mutating, []).find(({ webhooks = [] }) => webhooks.some(isOurs));

  progress("reading arc-primer's Service, replicas and configuration");
  const [release, backends] = await Promise.all([
    webhookConfiguration && readRelease(cluster, webhookConfiguration),
    readBackends(cluster, [...foundOr(mutating, []), ...foundOr(validating, [])]),
  ]);
  const parsed = release?.configuration?.parsed;
  const config = parsed && "config" in parsed ? parsed.config : undefined;

  progress("creating the pod of each scale set, as a dry run");
  const spaces = labelledNamespaces({ namespaces });
  const sets = setsIn(spaces, foundOr(scaleSets, []), webhookConfiguration);
  const dryRuns = await mapConcurrently(sets, async (set) => dryRunScaleSet(cluster, set, config, parts.prime));
  const anyNamespace = spaces[0]?.metadata.name ?? foundOr(scaleSets, [])[0]?.metadata.namespace;
  const imageVolume = anyNamespace === undefined ? undefined : await dryRunImageVolume(cluster, anyNamespace);

  progress("calling the replicas");
  const calls = release && (await testReplicas(cluster, release, { dryRuns, spaces, config, parts }));

  progress("reading the objects that profiles reference");
  const references = config ? await readReferences(cluster, dryRuns, config) : [];
  return {
    now,
    ownVersion,
    version: cluster.version,
    apiGroups: "found" in groups ? { found: groups.found.groups?.map(({ name }) => name) ?? [] } : groups,
    nodes,
    mutating,
    validating,
    backends,
    release: release && { ...release, calls: calls ?? [] },
    namespaces,
    scaleSets,
    imageVolume,
    dryRuns,
    references,
    runnerPods,
  };
}

/** The scale sets in these namespaces, each with the Pod Security level of its namespace. */
function setsIn(
  spaces: readonly Namespace[],
  scaleSets: readonly ArcObject[],
  webhookConfiguration: WebhookConfiguration | undefined,
): { scaleSet: ArcObject; podSecurity: PodSecurity }[] {
  return scaleSets.flatMap((scaleSet) => {
    const space = spaces.find(({ metadata }) => metadata.name === scaleSet.metadata.namespace);
    return space ? [{ scaleSet, podSecurity: levelOf(webhookConfiguration, space) }] : [];
  });
}

async function testReplicas(
  cluster: Cluster,
  release: Release,
  { dryRuns, spaces, config, parts }: CallParts,
): Promise<Release["calls"]> {
  const fromScaleSets = dryRuns.flatMap(({ pod, namespace, podSecurity }) =>
    pod ? [{ pod, namespace, podSecurity }] : [],
  );
  // Without a scale set, a plain runner pod is sent in any namespace.
  const namespace = spaces[0]?.metadata.name ?? injectLabel.replace("/", "-");
  const pods =
    fromScaleSets.length > 0
      ? fromScaleSets.slice(0, maxReviews)
      : [{ pod: plainRunner, namespace, podSecurity: "privileged" as const }];
  const reviews = pods.map((one) => ({
    podSecurity: one.podSecurity,
    path: entryPaths[one.podSecurity],
    review: admissionReview(one.pod, one.namespace, { dryRun: true }),
  })) satisfies ReviewRequest[];
  const expected = config && reviews.map(({ review, podSecurity }) => parts.admit(review, podSecurity, config));
  return callReplicas(cluster, release, reviews, expected);
}

interface CallParts {
  readonly dryRuns: readonly DryRun[];
  readonly spaces: readonly Namespace[];
  readonly config: Config | undefined;
  readonly parts: ReadingParts;
}
