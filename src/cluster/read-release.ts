import { parseWithWarnings } from "../config/load.ts";
import { callWebhook } from "./call-webhook.ts";
import type { ReviewRequest } from "./call-webhook.ts";
import type { Cluster, ReadResult } from "./connect.ts";
import type { Target } from "./dial.ts";
import type { ConfigMap, EndpointSlice, PodObject, Service, WebhookConfiguration, Workload } from "./objects.ts";
import { firstEntry, foundOr, isOurs, isRunning } from "./readings.ts";
import type { Configuration, WebhookCall, Release } from "./readings.ts";
import { matchesLabels } from "./selectors.ts";

/**
 * Reads the objects that belong to a webhook configuration: Service, replicas, ConfigMap, caches, bundle servers. It does not
 * call the replicas; `callReplicas` does.
 */
export async function readRelease(cluster: Cluster, webhookConfiguration: WebhookConfiguration): Promise<Release> {
  const target = firstEntry(webhookConfiguration)?.clientConfig?.service;
  const nothing = { service: undefined, endpoints: undefined, deployment: undefined, replicas: undefined };
  const none = { ...nothing, caches: undefined, bundleServers: undefined, configuration: undefined, calls: [] };
  if (!target) return { webhookConfiguration, namespace: undefined, ...none };
  const core = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}`;
  const apps = `/apis/apps/v1/namespaces/${encodeURIComponent(target.namespace)}`;
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(target.namespace)}/endpointslices`;
  const [service, endpoints, deployments, statefulSets] = await Promise.all([
    cluster.get<Service>(`${core}/services/${encodeURIComponent(target.name)}`),
    cluster.list<EndpointSlice>(slices, { labelSelector: `kubernetes.io/service-name=${target.name}` }),
    cluster.list<Workload>(`${apps}/deployments`),
    cluster.list<Workload>(`${apps}/statefulsets`),
  ]);
  const selector = foundOr<Service | undefined>(service, undefined)?.spec?.selector;
  const deployment = selector && deploymentFor(deployments, selector, target.name);
  const labelSelector = selector && Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  const replicas =
    labelSelector && (await cluster.list<PodObject>(`${core}/pods`, { labelSelector: labelSelector.join() }));
  return {
    webhookConfiguration,
    namespace: target.namespace,
    service,
    endpoints,
    deployment,
    replicas,
    caches: selector && otherComponents(statefulSets, selector),
    bundleServers: selector && otherComponents(deployments, selector),
    configuration:
      deployment && "found" in deployment ? await readConfiguration(cluster, core, deployment.found) : undefined,
    calls: [],
  };
}

function deploymentFor(
  deployments: ReadResult<readonly Workload[]>,
  selector: Readonly<Record<string, string>>,
  service: string,
): ReadResult<Workload> {
  if (!("found" in deployments)) return deployments;
  const found = deployments.found.find(({ spec }) =>
    matchesLabels({ matchLabels: selector }, spec?.template?.metadata?.labels),
  );
  return found ? { found } : { missing: `no Deployment creates pods that the Service ${service} selects` };
}

/** The other workloads of the release: caches and bundle servers. */
function otherComponents(
  workloads: ReadResult<readonly Workload[]>,
  selector: Readonly<Record<string, string>>,
): ReadResult<readonly Workload[]> {
  if (!("found" in workloads)) return workloads;
  const { "app.kubernetes.io/component": webhook, ...release } = selector;
  const isOfRelease = Object.keys(release).length > 0;
  const found = workloads.found.filter(
    ({ metadata: { labels } }) =>
      isOfRelease &&
      matchesLabels({ matchLabels: release }, labels) &&
      labels?.["app.kubernetes.io/component"] !== undefined &&
      labels["app.kubernetes.io/component"] !== webhook,
  );
  return { found };
}

async function readConfiguration(
  cluster: Cluster,
  core: string,
  { spec }: Workload,
): Promise<Configuration | undefined> {
  const pod = spec?.template?.spec;
  const name = pod?.volumes?.find((volume) => volume.name === "config")?.configMap?.name;
  if (name === undefined) return undefined;
  const args = pod?.containers?.flatMap(({ args: words = [] }) => words) ?? [];
  const file = args.find((word) => word.startsWith("--config="))?.slice("--config=".length) ?? "config.yaml";
  const key = file.split("/").at(-1)!;
  const read = await cluster.get<ConfigMap>(`${core}/configmaps/${encodeURIComponent(name)}`);
  if (!("found" in read)) return { name, text: read, parsed: undefined };
  const text = read.found.data?.[key];
  if (text === undefined)
    return { name, text: { missing: `the ConfigMap ${name} has no key ${key}` }, parsed: undefined };
  return { name, text: { found: text }, parsed: parse(text, key) };
}

function parse(text: string, key: string): NonNullable<Configuration["parsed"]> {
  try {
    return parseWithWarnings(text, key);
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** Calls every replica of a release, or the URL in its webhook configuration. */
export async function callReplicas(
  cluster: Cluster,
  release: Release,
  reviews: readonly ReviewRequest[],
  expected: readonly string[] | undefined,
): Promise<WebhookCall[]> {
  const client = firstEntry(release.webhookConfiguration)?.clientConfig;
  const ca = Buffer.from(client?.caBundle ?? "", "base64").toString("utf8");
  const servername = client?.service
    ? `${client.service.name}.${client.service.namespace}.svc`
    : hostOf(client?.url ?? "");
  return Promise.all(
    targetsOf(release).map(async ({ name, target }) => ({
      name,
      expected,
      ...(await callWebhook(cluster, target, { servername, ca, reviews })),
    })),
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
}

function targetsOf({ webhookConfiguration, namespace = "", replicas }: Release): { name: string; target: Target }[] {
  const urls =
    webhookConfiguration.webhooks?.filter(isOurs).flatMap(({ clientConfig }) => clientConfig?.url ?? []) ?? [];
  const addresses = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
  if (urls.length > 0) return [...new Set(addresses)].map((url) => ({ name: url, target: { url } }));
  return foundOr(replicas, [])
    .filter(isRunning)
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      target: { namespace, pod: metadata.name, port: portOf(spec) },
    }));
}

function portOf(spec: PodObject["spec"]): number {
  const ports = spec?.containers?.flatMap(({ ports: all = [] }) => all) ?? [];
  return ports.find(({ name }) => name === "webhook")?.containerPort ?? 10250;
}
