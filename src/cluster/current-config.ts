import { parseConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { parseIndexEntry } from "../bundles/index-entry.ts";
import type { Bundle } from "../bundles/bundle.ts";
import type { Cluster, ReadResult } from "./connect.ts";

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** The webhook's configuration and where it was read, or why it could not be read. Both texts have no full stop. */
export type CurrentConfig =
  | { readonly config: Config; readonly source: string; readonly problem?: never }
  | { readonly config?: never; readonly problem: string };

const labels = "app.kubernetes.io/name=arc-primer";
const key = "config.yaml";

/**
 * Reads the ConfigMap that the chart creates, which is found by its labels. Without permission to read all namespaces, only
 * the namespace `arc-primer` and the context's namespace are searched.
 *
 * @param named `NAMESPACE/NAME`, for a ConfigMap without these labels, or to choose one of several
 */
export async function readCurrentConfig(cluster: Cluster, named?: string): Promise<CurrentConfig> {
  if (named !== undefined) return parsed(await readOne(cluster, named), named);
  const found = await find(cluster);
  if (!("found" in found)) {
    return { problem: `the webhook's ConfigMap cannot be read: ${Object.values(found)[0]}` };
  }
  const [first, ...others] = found.found.filter(({ data }) => data?.[key] !== undefined);
  if (!first) {
    return { problem: `found no ConfigMap with the label ${labels} and the key ${key}: specify one with --config-map` };
  }
  const names = [first, ...others].map(nameOf);
  if (others.length > 0) {
    return {
      problem: `found several ConfigMaps of the webhook (${names.join(", ")}): choose one with --config-map`,
    };
  }
  return parsed({ found: first }, names[0]!);
}

/** The package bundles in the chart's index; empty if the index cannot be read. */
export async function readPublishedBundles(cluster: Cluster): Promise<Bundle[]> {
  const read = await find(cluster);
  if (!("found" in read)) return [];
  return read.found
    .flatMap(({ data = {} }) => Object.values(data))
    .flatMap((text) => {
      const entry = parseIndexEntry(text);
      return "problem" in entry ? [] : [entry];
    });
}

function nameOf({ metadata }: ConfigMap): string {
  return `${metadata.namespace}/${metadata.name}`;
}

async function readOne(cluster: Cluster, named: string): Promise<ReadResult<ConfigMap>> {
  const [namespace = "", name = ""] = named.split("/").map(encodeURIComponent);
  return cluster.get<ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/${name}`);
}

async function find(cluster: Cluster): Promise<ReadResult<readonly ConfigMap[]>> {
  const everywhere = await cluster.list<ConfigMap>("/api/v1/configmaps", { labelSelector: labels });
  if (!("forbidden" in everywhere)) return everywhere;
  const namespaces = [...new Set(["arc-primer", cluster.namespace])];
  const each = await Promise.all(
    namespaces.map((namespace) =>
      cluster.list<ConfigMap>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`, {
        labelSelector: labels,
      }),
    ),
  );
  const found = each.flatMap((one) => ("found" in one ? one.found : []));
  return found.length > 0 ? { found } : everywhere;
}

function parsed(read: ReadResult<ConfigMap>, name: string): CurrentConfig {
  if (!("found" in read)) return { problem: `the ConfigMap ${name} cannot be read: ${Object.values(read)[0]}` };
  const text = read.found.data?.[key];
  if (text === undefined) return { problem: `the ConfigMap ${name} has no key ${key}` };
  try {
    return { config: parseConfig(text, key), source: `the current ConfigMap ${name} of the cluster` };
  } catch (error) {
    return {
      problem: `the webhook rejects the ConfigMap ${name} and keeps the last valid configuration: ${(error as Error).message}`,
    };
  }
}
