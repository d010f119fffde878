import type { KubeConfig } from "@kubernetes/client-node";
import { exchange, parsed } from "./exchange.ts";
import type { Exchanged } from "./exchange.ts";
import { ClusterError, readKubeconfig } from "./kubeconfig.ts";
import type { ClusterOptions } from "./kubeconfig.ts";

export { ClusterError } from "./kubeconfig.ts";
export type { ClusterOptions } from "./kubeconfig.ts";

/** What came of reading something: it, or why not, in a sentence for the user without a full stop. */
export type Readable<T> =
  | { readonly found: T }
  /** The rights are missing. In the API server's own words. */
  | { readonly forbidden: string }
  /** There is no such object, or the cluster does not know its kind. */
  | { readonly missing: string }
  /** The API server failed, or did not answer in time. */
  | { readonly failed: string };

/** What the API server answered to a request that may be refused. `object` is what it made, or a `Status` that says why not. */
export interface Answer {
  readonly status: number;
  readonly object: unknown;
  /** The `Warning` headers, as kubectl shows them. */
  readonly warnings: readonly string[];
}

/**
 * A cluster, as one context of a kubeconfig reaches it. Objects are parsed JSON, so dates are strings, and fields that the
 * client does not know are there.
 */
export interface Cluster {
  /** The context's name. */
  readonly context: string;
  /** The API server's address. */
  readonly server: string;
  /** The context's namespace, or `default`. */
  readonly namespace: string;
  /** What `/version` says. */
  readonly version: Readable<Version>;
  /** Reads one object, or whatever else has this path, such as `/api/v1/namespaces/arc-runners`. */
  get<T>(path: string): Promise<Readable<T>>;
  /**
   * All objects of a collection, such as `/api/v1/pods`, each with its kind and apiVersion.
   *
   * @param selectors `labelSelector` and `fieldSelector`
   */
  list<T>(path: string, selectors?: Readonly<Record<string, string>>): Promise<Readable<T[]>>;
  /**
   * Posts an object, and tells whatever comes back.
   *
   * @param query `dryRun=All`, for one
   * @throws {ClusterError} if no answer comes within 40 s, which is longer than any webhook may take
   */
  create(path: string, object: unknown, query?: Readonly<Record<string, string>>): Promise<Answer>;
  /** What Kubernetes' client needs for more than requests, such as forwarding a port. */
  readonly config: KubeConfig;
}

export interface Version {
  readonly major: string;
  readonly minor: string;
  /** Such as `v1.34.4`, with the provider's additions (`-gke.1234`). */
  readonly gitVersion: string;
}

const readingSeconds = 15;
const creatingSeconds = 40;
const pageSize = "500";

/**
 * Connects to the cluster: reads the kubeconfig and asks the API server for its version.
 *
 * @throws {ClusterError} if the kubeconfig is not in order, the API server cannot be reached, or does not accept the
 *   credentials
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const config = readKubeconfig(options);
  const context = config.getCurrentContext();
  const server = config.getCurrentCluster()!.server.replace(/\/+$/, "");
  const ask = async (method: string, path: string, seconds: number, body?: unknown) =>
    exchange(config, { url: new URL(server + path), method, seconds, body });

  const get = async <T>(path: string) => readable<T>(path, ask("GET", path, readingSeconds));

  async function list<T>(path: string, selectors: Readonly<Record<string, string>> = {}): Promise<Readable<T[]>> {
    const items: T[] = [];
    for (let next = ""; ;) {
      const query = new URLSearchParams({ ...selectors, limit: pageSize, ...(next && { continue: next }) });
      const page = await get<Page<T>>(`${path}?${query}`);
      if (!("found" in page)) return page;
      const { apiVersion, kind, metadata } = page.found;
      // The items of a list come without their kind.
      const head = { apiVersion, kind: kind.replace(/List$/, "") };
      for (const item of page.found.items ?? []) items.push({ ...head, ...item });
      next = metadata?.continue ?? "";
      if (!next) return { found: items };
    }
  }

  async function create(path: string, object: unknown, query: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const target = `${path}?${new URLSearchParams(query)}`;
    const { status, text, warnings } = await ask("POST", target, creatingSeconds, object);
    return { status, object: parsed(text), warnings };
  }

  const asked = await ask("GET", "/version", readingSeconds);
  if (asked.status === 401) {
    throw new ClusterError(
      `the API server at ${server} does not accept the credentials of the context ${context}: log in again, or choose another context with --context`,
    );
  }
  const version = await readable<Version>("/version", Promise.resolve(asked));
  const namespace = config.getContextObject(context)?.namespace ?? "default";
  return { context, server, namespace, version, get, list, create, config };
}

interface Page<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[];
}

/** An answer as what was read. Errors of the connection become `failed`: the connection was there a moment ago. */
async function readable<T>(path: string, exchanged: Promise<Exchanged>): Promise<Readable<T>> {
  try {
    const { status, text } = await exchanged;
    const object = parsed(text);
    if (status === 200) return { found: object as T };
    const said = (object as { message?: string } | undefined)?.message ?? text.slice(0, 500);
    if (status === 401 || status === 403) return { forbidden: said || `reading ${path} is forbidden` };
    if (status === 404) return { missing: said.trim() || `there is no ${path}` };
    return { failed: `reading ${path}: the API server answered ${status}: ${said}` };
  } catch (error) {
    return { failed: `reading ${path}: ${(error as Error).message}` };
  }
}
