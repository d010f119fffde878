import type { Bundle } from "../bundles/bundle.ts";
import { indexEntry, parseIndexEntry } from "../bundles/index-entry.ts";
import type { Logger } from "../log.ts";
import { createApiRequest } from "../tls/self-managed/api-request.ts";
import type { Connection } from "../tls/self-managed/connection.ts";
import type { Index } from "./publisher.ts";

/** The ConfigMap and its key that hold the index entry. */
export interface IndexKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/**
 * The index in a ConfigMap, which the chart creates without data. Each bundle server changes only its own key, with a merge
 * patch, so bundle servers do not need to coordinate. It requires the verbs `get` and `patch` on this ConfigMap.
 */
export function configMapIndex(connection: Connection, { namespace, name, key }: IndexKey, log: Logger): Index {
  const request = createApiRequest(connection, "merge-patch");
  const target = {
    path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
    what: `the ConfigMap ${namespace}/${name}`,
    right: `a Role in ${namespace}, with get and patch on configmaps, resourceNames [${name}]`,
  };
  return {
    async read() {
      const { data } = await request<{ data?: Record<string, string> }>("GET", target);
      const text = data?.[key];
      if (text === undefined) return undefined;
      const entry = parseIndexEntry(text);
      if (!("problem" in entry)) return entry;
      log.warn({ key, problem: entry.problem }, "the index entry is invalid and will be replaced");
      return undefined;
    },
    async write(bundle: Bundle | undefined) {
      await request("PATCH", target, { data: { [key]: bundle ? indexEntry(bundle) : null } });
    },
  };
}
