import type { PodSecurity } from "../pod/pod-security.ts";
import type { Pod } from "../pod/types.ts";
import type { Statement } from "../report/account.ts";
import { statusAnnotation } from "../report/status.ts";
import type { Cluster } from "./connect.ts";
import { entryFor, levelOf } from "./entries.ts";
import type { Metadata, Namespace, WebhookConfiguration } from "./objects.ts";
import { firstEntry, foundOr, injectLabel } from "./readings.ts";

/** Whether pods of a namespace come to the webhook. */
export interface Way {
  /** What the webhook is told that the namespace enforces. */
  readonly podSecurity: PodSecurity;
  /** What keeps them from it, or has kept this pod from it; empty where nothing does. */
  readonly statements: readonly Statement[];
}

/**
 * Reads the namespace and the registration, as far as they may be read.
 *
 * @param pod one that is there; undefined for the next pod of a scale set
 */
export async function readWay(cluster: Cluster, namespace: string, pod: Pod | undefined): Promise<Way> {
  const [space, registrations] = await Promise.all([
    cluster.get<Namespace>(`/api/v1/namespaces/${encodeURIComponent(namespace)}`),
    cluster.list<WebhookConfiguration>("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"),
  ]);
  const registration = foundOr(registrations, []).find((one) => firstEntry(one) !== undefined);
  const found = foundOr<Namespace | undefined>(space, undefined);
  const podSecurity = found ? levelOf(registration, found) : "privileged";
  const unread = [
    ...("found" in space ? [] : [`the namespace (${reasonOf(space)})`]),
    ...("found" in registrations ? [] : [`the webhook's registration (${reasonOf(registrations)})`]),
  ];
  const statements = [
    ...(unread.length > 0 ? [{ text: `Could not be read, and is assumed to be in order: ${unread.join(", ")}.` }] : []),
    ...("found" in registrations && !registration ? [unregistered] : []),
    ...(found ? unasked(found, registration) : []),
  ];
  const isPrimed = pod?.metadata.annotations?.[statusAnnotation] !== undefined;
  if (pod && !isPrimed && statements.length === 0) statements.push(missed(pod, registration));
  return { podSecurity, statements };
}

const unregistered: Statement = {
  text: "The cluster has no MutatingWebhookConfiguration of arc-primer, so the webhook is asked about no pod. What follows is what it would do.",
  setting: { where: "registration", name: "metadata.name" },
};

/** Why pods of the namespace are not shown to the webhook, if so. */
function unasked(namespace: Namespace, registration: WebhookConfiguration | undefined): Statement[] {
  const { name, labels } = namespace.metadata;
  if (labels?.[injectLabel] !== "enabled") {
    const text = `The namespace ${name} lacks the label ${injectLabel}: enabled, so the webhook is not asked about its pods. What follows is what it would do.`;
    return [{ text, setting: { where: "namespace", name: injectLabel } }];
  }
  if (!registration || entryFor(registration, namespace)) return [];
  const text = `No entry of the registration ${registration.metadata.name} matches the namespace ${name}, so the webhook is not asked about its pods. What follows is what it would do.`;
  return [{ text, setting: { where: "registration", name: "namespaceSelector" } }];
}

/** Why a pod in a namespace that is in order bears no status, as far as that can be told. */
function missed(pod: Pod, registration: WebhookConfiguration | undefined): Statement {
  const { creationTimestamp: born } = pod.metadata as Metadata;
  const since = registration?.metadata.creationTimestamp;
  if (born !== undefined && since !== undefined && born < since) {
    const text = `The pod has no annotation ${statusAnnotation}: it was created (${born}) before the webhook was registered (${since}).`;
    return { text, setting: { where: "registration", name: "metadata.creationTimestamp" } };
  }
  const text = `The pod has no annotation ${statusAnnotation}. Either it was left as it came, for the reason below, or the webhook was not asked or did not answer when the pod was created.`;
  return { text, setting: { where: "registration", name: "failurePolicy" } };
}

function reasonOf(read: object): string {
  return Object.values(read)[0] as string;
}
