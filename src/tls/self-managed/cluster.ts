import { createApiRequest } from "./api-request.ts";
import type { Connection } from "./connection.ts";
import type { ClusterObjects } from "./objects.ts";

interface Secret {
  metadata: { resourceVersion: string };
  data?: Record<string, string>;
}
interface WebhookConfiguration {
  metadata: { resourceVersion: string };
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

/**
 * Accesses the two objects in a real cluster.
 *
 * They are updated with strategic merge patches. A patch contains the resourceVersion that was read, so that the API
 * server responds with 409 if the object has changed. Apart from that, it contains only arc-primer's own fields, so other
 * fields are preserved, even unknown ones. The required permissions are `get` and `patch` on these two objects, by name.
 */
export function clusterObjects(
  connection: Connection,
  secret: { namespace: string; name: string },
  configuration: string,
): ClusterObjects {
  let clock: { time: number; at: number } | undefined;
  const request = createApiRequest(
    connection,
    "strategic-merge-patch",
    (time) => (clock = { time, at: performance.now() }),
  );
  const secretTarget = {
    path: `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`,
    what: `the Secret ${secret.namespace}/${secret.name}`,
    right: `a Role in ${secret.namespace}, with get and patch on secrets, resourceNames [${secret.name}]`,
  };
  const configurationTarget = {
    path: `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configuration}`,
    what: `the MutatingWebhookConfiguration ${configuration}`,
    right: `a ClusterRole with get and patch on mutatingwebhookconfigurations, resourceNames [${configuration}]`,
  };

  return {
    async secret() {
      const { metadata, data = {} } = await request<Secret>("GET", secretTarget);
      const content = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decoded(value)]));
      return { version: metadata.resourceVersion, content };
    },
    async writeSecret(version, values) {
      const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encoded(value)]));
      await request("PATCH", secretTarget, { metadata: { resourceVersion: version }, data });
    },
    serverTime: () => clock && clock.time + performance.now() - clock.at,
    async entries() {
      const { metadata, webhooks = [] } = await request<WebhookConfiguration>("GET", configurationTarget);
      if (!webhooks.length) throw new Error(`${configurationTarget.what} has no webhooks`);
      const content = webhooks.map(({ name, clientConfig }) => ({
        name,
        caBundle: decoded(clientConfig?.caBundle ?? ""),
      }));
      return { version: metadata.resourceVersion, content };
    },
    async writeEntries(version, entries) {
      const webhooks = entries.map(({ name, caBundle }) => ({ name, clientConfig: { caBundle: encoded(caBundle) } }));
      await request("PATCH", configurationTarget, { metadata: { resourceVersion: version }, webhooks });
    },
  };
}

const encoded = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const decoded = (text: string): string => Buffer.from(text, "base64").toString("utf8");
