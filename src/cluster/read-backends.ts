import type { Cluster, ReadResult } from "./connect.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { EndpointSlice, WebhookConfiguration } from "./objects.ts";
import { isOurs, readyAddresses } from "./readings.ts";

/** The number of ready addresses of each Service whose webhook blocks pods while it is down. */
export async function readBackends(
  cluster: Cluster,
  configurations: readonly WebhookConfiguration[],
): Promise<Record<string, ReadResult<number>>> {
  const services = configurations.flatMap(({ webhooks = [] }) =>
    webhooks
      .filter((entry) => !isOurs(entry) && entry.failurePolicy !== "Ignore")
      .flatMap(({ clientConfig }) => clientConfig?.service ?? []),
  );
  const unique = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
  const counted = await mapConcurrently([...unique], async ([key, { namespace, name }]) => {
    const slices = await cluster.list<EndpointSlice>(
      `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`,
      { labelSelector: `kubernetes.io/service-name=${name}` },
    );
    return [key, "found" in slices ? { found: readyAddresses(slices.found) } : slices] as const;
  });
  return Object.fromEntries(counted);
}
