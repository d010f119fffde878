import type { Config } from "../config/schema.ts";
import type { Prime } from "../engine/prime.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { admissionReview } from "./admission-review.ts";
import type { Cluster } from "./connect.ts";
import type { Question } from "./converse.ts";
import { entryPaths, levelOf } from "./entries.ts";
import { each } from "./each.ts";
import type { Namespace, Node, PodObject, WebhookConfiguration } from "./objects.ts";
import { readBackends } from "./read-backends.ts";
import { readConversations, readRelease } from "./read-release.ts";
import { foundOr, injectLabel, isOurs, labelled } from "./readings.ts";
import type { Readings, Release, Trial } from "./readings.ts";
import { readReferences, tryImageVolume, tryScaleSet } from "./read-trials.ts";
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
  const registrations = "/apis/admissionregistration.k8s.io/v1";
  const [groups, nodes, mutating, validating, namespaces, scaleSets, runnerPods] = await Promise.all([
    cluster.get<{ groups?: { name: string }[] }>("/apis"),
    cluster.list<Node>("/api/v1/nodes"),
    cluster.list<WebhookConfiguration>(`${registrations}/mutatingwebhookconfigurations`),
    cluster.list<WebhookConfiguration>(`${registrations}/validatingwebhookconfigurations`),
    cluster.list<Namespace>("/api/v1/namespaces"),
    cluster.list<ArcObject>(arcPaths.AutoscalingRunnerSet),
    cluster.list<PodObject>("/api/v1/pods", { labelSelector: "actions-ephemeral-runner=True" }),
  ]);
  const registration = foundOr(mutating, []).find(({ webhooks = [] }) => webhooks.some(isOurs));

  progress("reading arc-primer's Service, replicas and configuration");
  const [release, backends] = await Promise.all([
    registration && readRelease(cluster, registration),
    readBackends(cluster, [...foundOr(mutating, []), ...foundOr(validating, [])]),
  ]);
  const parsed = release?.configuration?.parsed;
  const config = parsed && "config" in parsed ? parsed.config : undefined;

  progress("creating the pod of each scale set, as a dry run");
  const spaces = labelled({ namespaces });
  const sets = setsIn(spaces, foundOr(scaleSets, []), registration);
  const trials = await each(sets, async (set) => tryScaleSet(cluster, set, config, parts.prime));
  const anywhere = spaces[0]?.metadata.name ?? foundOr(scaleSets, [])[0]?.metadata.namespace;
  const imageVolume = anywhere === undefined ? undefined : await tryImageVolume(cluster, anywhere);

  progress("calling the replicas");
  const conversations = release && (await callReplicas(cluster, release, { trials, spaces, config, parts }));

  progress("reading the objects that profiles reference");
  const references = config ? await readReferences(cluster, trials, config) : [];
  return {
    now,
    ownVersion,
    version: cluster.version,
    apiGroups: "found" in groups ? { found: groups.found.groups?.map(({ name }) => name) ?? [] } : groups,
    nodes,
    mutating,
    validating,
    backends,
    release: release && { ...release, conversations: conversations ?? [] },
    namespaces,
    scaleSets,
    imageVolume,
    trials,
    references,
    runnerPods,
  };
}

/** The scale sets in these namespaces, each with the Pod Security level of its namespace. */
function setsIn(
  spaces: readonly Namespace[],
  scaleSets: readonly ArcObject[],
  registration: WebhookConfiguration | undefined,
): { scaleSet: ArcObject; podSecurity: PodSecurity }[] {
  return scaleSets.flatMap((scaleSet) => {
    const space = spaces.find(({ metadata }) => metadata.name === scaleSet.metadata.namespace);
    return space ? [{ scaleSet, podSecurity: levelOf(registration, space) }] : [];
  });
}

async function callReplicas(
  cluster: Cluster,
  release: Release,
  { trials, spaces, config, parts }: CallParts,
): Promise<Release["conversations"]> {
  const asked = trials.flatMap(({ pod, namespace, podSecurity }) => (pod ? [{ pod, namespace, podSecurity }] : []));
  // Without a scale set, a plain runner pod is sent in any namespace.
  const namespace = spaces[0]?.metadata.name ?? injectLabel.replace("/", "-");
  const pods =
    asked.length > 0
      ? asked.slice(0, maxReviews)
      : [{ pod: plainRunner, namespace, podSecurity: "privileged" as const }];
  const questions = pods.map((one) => ({
    podSecurity: one.podSecurity,
    path: entryPaths[one.podSecurity],
    review: admissionReview(one.pod, one.namespace, { dryRun: true }),
  })) satisfies Question[];
  const expected = config && questions.map(({ review, podSecurity }) => parts.admit(review, podSecurity, config));
  return readConversations(cluster, release, questions, expected);
}

interface CallParts {
  readonly trials: readonly Trial[];
  readonly spaces: readonly Namespace[];
  readonly config: Config | undefined;
  readonly parts: ReadingParts;
}
