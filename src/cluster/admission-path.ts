import type { PodSecurity } from "../pod/pod-security.ts";
import type { Pod } from "../pod/types.ts";
import type { Statement } from "../report/account.ts";
import { statusAnnotation } from "../report/status.ts";
import type { Cluster } from "./connect.ts";
import { entryFor, levelOf } from "./entries.ts";
import type { Metadata, Namespace, WebhookConfiguration } from "./objects.ts";
import { firstEntry, foundOr, injectLabel } from "./readings.ts";

/** Whether the API server calls the webhook for the pods of a namespace. */
export interface AdmissionPath {
  /** The Pod Security level of the namespace, as the webhook receives it. */
  readonly podSecurity: PodSecurity;
  /** Why the API server does not call the webhook, or did not call it for this pod; empty if it does. */
  readonly statements: readonly Statement[];
}

/**
 * Reads the namespace and the webhook configuration, as far as permissions allow.
 *
 * @param pod an existing pod; undefined for the next pod of a scale set
 */
export async function readAdmissionPath(
  cluster: Cluster,
  namespace: string,
  pod: Pod | undefined,
): Promise<AdmissionPath> {
  const [space, configurations] = await Promise.all([
    cluster.get<Namespace>(`/api/v1/namespaces/${encodeURIComponent(namespace)}`),
    cluster.list<WebhookConfiguration>("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"),
  ]);
  const webhookConfiguration = foundOr(configurations, []).find((one) => firstEntry(one) !== undefined);
  const found = foundOr<Namespace | undefined>(space, undefined);
  const podSecurity = found ? levelOf(webhookConfiguration, found) : "privileged";
  const unread = [
    ...("found" in space ? [] : [`the namespace (${reasonOf(space)})`]),
    ...("found" in configurations ? [] : [`the webhook configuration (${reasonOf(configurations)})`]),
  ];
  const statements = [
    ...(unread.length > 0
      ? [{ text: `The following could not be read and is assumed to be correct: ${unread.join(", ")}.` }]
      : []),
    ...("found" in configurations && !webhookConfiguration ? [noConfiguration] : []),
    ...(found ? whyNotCalled(found, webhookConfiguration) : []),
  ];
  const isPrimed = pod?.metadata.annotations?.[statusAnnotation] !== undefined;
  if (pod && !isPrimed && statements.length === 0) statements.push(missed(pod, webhookConfiguration));
  return { podSecurity, statements };
}

const noConfiguration: Statement = {
  text: "The cluster has no MutatingWebhookConfiguration of arc-primer, so the API server does not call the webhook. The rest of this text describes what the webhook would do.",
  setting: { where: "registration", name: "metadata.name" },
};

/** Why the API server does not call the webhook for pods of the namespace; empty if it does. */
function whyNotCalled(namespace: Namespace, webhookConfiguration: WebhookConfiguration | undefined): Statement[] {
  const { name, labels } = namespace.metadata;
  if (labels?.[injectLabel] !== "enabled") {
    const text = `The namespace ${name} lacks the label ${injectLabel}: enabled, so the API server does not call the webhook for its pods. The rest of this text describes what the webhook would do.`;
    return [{ text, setting: { where: "namespace", name: injectLabel } }];
  }
  if (!webhookConfiguration || entryFor(webhookConfiguration, namespace)) return [];
  const text = `No entry of the webhook configuration ${webhookConfiguration.metadata.name} matches the namespace ${name}, so the API server does not call the webhook for its pods. The rest of this text describes what the webhook would do.`;
  return [{ text, setting: { where: "registration", name: "namespaceSelector" } }];
}

/** Why a pod has no status annotation although the API server calls the webhook for its namespace, as far as is known. */
function missed(pod: Pod, webhookConfiguration: WebhookConfiguration | undefined): Statement {
  const { creationTimestamp: created } = pod.metadata as Metadata;
  const since = webhookConfiguration?.metadata.creationTimestamp;
  if (created !== undefined && since !== undefined && created < since) {
    const text = `The pod has no annotation ${statusAnnotation}: it was created (${created}) before the webhook configuration (${since}).`;
    return { text, setting: { where: "registration", name: "metadata.creationTimestamp" } };
  }
  const text = `The pod has no annotation ${statusAnnotation}. Either the webhook did not change the pod, for the reason below, or the API server did not call the webhook or received no response when the pod was created.`;
  return { text, setting: { where: "registration", name: "failurePolicy" } };
}

function reasonOf(read: object): string {
  return Object.values(read)[0] as string;
}
