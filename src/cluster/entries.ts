import type { PodSecurity } from "../pod/pod-security.ts";
import type { Namespace, Webhook, WebhookConfiguration } from "./objects.ts";
import { isOurs, podSecurityLabel } from "./readings.ts";
import { matchesLabels } from "./selectors.ts";

/** The URL path of the entry for each Pod Security level. The webhook takes the level of a namespace from the path. */
export const entryPaths: Readonly<Record<PodSecurity, string>> = {
  privileged: "/mutate",
  baseline: "/mutate/baseline",
  restricted: "/mutate/restricted",
};

/** The URL path that the API server calls for an entry. */
export function pathOf({ clientConfig }: Webhook): string {
  if (clientConfig?.url !== undefined && URL.canParse(clientConfig.url)) return new URL(clientConfig.url).pathname;
  return clientConfig?.service?.path ?? "/";
}

/** The entry of a webhook configuration that matches this namespace. */
export function entryFor({ webhooks = [] }: WebhookConfiguration, { metadata }: Namespace): Webhook | undefined {
  // The API server gives every namespace this label.
  const labels = { "kubernetes.io/metadata.name": metadata.name, ...metadata.labels };
  return webhooks.find((entry) => isOurs(entry) && matchesLabels(entry.namespaceSelector, labels));
}

/** The Pod Security level that the entry for a namespace stands for; without an entry, the level in the namespace's label. */
export function levelOf(webhookConfiguration: WebhookConfiguration | undefined, namespace: Namespace): PodSecurity {
  const entry = webhookConfiguration && entryFor(webhookConfiguration, namespace);
  const path = entry && pathOf(entry);
  const label = namespace.metadata.labels?.[podSecurityLabel];
  const levels = Object.keys(entryPaths) as PodSecurity[];
  return levels.find((level) => (path === undefined ? level === label : entryPaths[level] === path)) ?? "privileged";
}
