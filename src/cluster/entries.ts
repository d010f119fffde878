import type { PodSecurity } from "../pod/pod-security.ts";
import type { Namespace, Webhook, WebhookConfiguration } from "./objects.ts";
import { isOurs, podSecurityLabel } from "./readings.ts";
import { matchesLabels } from "./selectors.ts";

/** The path of each level's entry: by it the webhook knows what a namespace enforces. */
export const entryPaths: Readonly<Record<PodSecurity, string>> = {
  privileged: "/mutate",
  baseline: "/mutate/baseline",
  restricted: "/mutate/restricted",
};

/** The path that an entry is called at. */
export function pathOf({ clientConfig }: Webhook): string {
  if (clientConfig?.url !== undefined && URL.canParse(clientConfig.url)) return new URL(clientConfig.url).pathname;
  return clientConfig?.service?.path ?? "/";
}

/** The entry of a registration that pods of this namespace go to, if one does. */
export function entryFor({ webhooks = [] }: WebhookConfiguration, { metadata }: Namespace): Webhook | undefined {
  // The API server gives every namespace this label.
  const labels = { "kubernetes.io/metadata.name": metadata.name, ...metadata.labels };
  return webhooks.find((entry) => isOurs(entry) && matchesLabels(entry.namespaceSelector, labels));
}

/** The level of Pod Security that the webhook is told for a namespace; without an entry, what its label says. */
export function levelOf(registration: WebhookConfiguration | undefined, namespace: Namespace): PodSecurity {
  const entry = registration && entryFor(registration, namespace);
  const path = entry && pathOf(entry);
  const label = namespace.metadata.labels?.[podSecurityLabel];
  const levels = Object.keys(entryPaths) as PodSecurity[];
  return levels.find((level) => (path === undefined ? level === label : entryPaths[level] === path)) ?? "privileged";
}
