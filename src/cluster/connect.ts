import type { KubeConfig } from "@kubernetes/client-node";
import { exchange, parsed } from "./exchange.ts";
import type { HttpResponse } from "./exchange.ts";
import { ClusterError, readKubeconfig } from "./kubeconfig.ts";
import type { ClusterOptions } from "./kubeconfig.ts";

export { ClusterError } from "./kubeconfig.ts";
export type { ClusterOptions } from "./kubeconfig.ts";

/** The result of reading something: the object, or why it could not be read, as a sentence for the user without a full stop. */
export type ReadResult<T> =
  | { readonly found: T }
  /** Permissions are missing. The text is the API server's message. */
  | { readonly forbidden: string }
  /** The object or its resource type does not exist. */
  | { readonly missing: string }
  /** The API server returned an error or did not respond in time. */
  | { readonly failed: string };

/** The API server's response to a create request. `object` is the created object, or a `Status` with the reason for the error. */
export interface CreateResponse {
  readonly status: number;
  readonly object: unknown;
  /** The `Warning` headers, as kubectl prints them. */
  readonly warnings: readonly string[];
}

/**
 * A cluster, reached through one context of a kubeconfig. Objects are parsed JSON: dates are strings, and unknown fields are
 * kept.
 */
export interface Cluster {
  /** The context's name. */
  readonly context: string;
  /** The API server's address. */
  readonly server: string;
  /** The context's namespace, or `default`. */
  readonly namespace: string;
  /** The response of `/version`. */
  readonly version: ReadResult<Version>;
  /** Reads one object or another resource by its path, such as `/api/v1/namespaces/arc-runners`. */
  get<T>(path: string): Promise<ReadResult<T>>;
  /**
   * Lists all objects of a collection, such as `/api/v1/pods`, each with its kind and apiVersion.
   *
   * @param selectors `labelSelector` and `fieldSelector`
   */
  list<T>(path: string, selectors?: Readonly<Record<string, string>>): Promise<ReadResult<T[]>>;
  /**
   * Posts an object and returns the response, also if it is an error.
   *
   * @param query such as `{ dryRun: "All" }`
   * @throws {ClusterError} if there is no response within 40 s. No webhook may take longer than 30 s
   */
  create(path: string, object: unknown, query?: Readonly<Record<string, string>>): Promise<CreateResponse>;
  /** The configuration for other parts of the Kubernetes client, such as port forwarding. */
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
 * @throws {ClusterError} if the kubeconfig is invalid, or the API server cannot be reached or does not accept the
 *   credentials
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const config = readKubeconfig(options);
  const context = config.getCurrentContext();
  const server = config.getCurrentCluster()!.server.replace(/\/+$/, "");
  const ask = async (method: string, path: string, seconds: number, body?: unknown) =>
    exchange(config, { url: new URL(server + path), method, seconds, body });

  const get = async <T>(path: string) => toReadResult<T>(path, ask("GET", path, readingSeconds));

  async function list<T>(path: string, selectors: Readonly<Record<string, string>> = {}): Promise<ReadResult<T[]>> {
    const items: T[] = [];
    for (let next = ""; ;) {
      const query = new URLSearchParams({ ...selectors, limit: pageSize, ...(next && { continue: next }) });
      const page = await get<Page<T>>(`${path}?${query}`);
      if (!("found" in page)) return page;
      const { apiVersion, kind, metadata } = page.found;
      // The items of a list have no kind of their own.
      const head = { apiVersion, kind: kind.replace(/List$/, "") };
      for (const item of page.found.items ?? []) items.push({ ...head, ...item });
      next = metadata?.continue ?? "";
      if (!next) return { found: items };
    }
  }

  async function create(
    path: string,
    object: unknown,
    query: Readonly<Record<string, string>> = {},
  ): Promise<CreateResponse> {
    const target = `${path}?${new URLSearchParams(query)}`;
    const { status, text, warnings } = await ask("POST", target, creatingSeconds, object);
    return { status, object: parsed(text), warnings };
  }

  const response = await ask("GET", "/version", readingSeconds);
  if (response.status === 401) {
    throw new ClusterError(
      `the API server at ${server} does not accept the credentials of the context ${context}: log in again, or choose another context with --context`,
    );
  }
  const version = await toReadResult<Version>("/version", Promise.resolve(response));
  const namespace = config.getContextObject(context)?.namespace ?? "default";
  return { context, server, namespace, version, get, list, create, config };
}

interface Page<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly continue?: string };
  readonly items?: readonly T[];
}

/** Converts a response. Connection errors become `failed`, because `connectCluster` has reached the API server before. */
async function toReadResult<T>(path: string, response: Promise<HttpResponse>): Promise<ReadResult<T>> {
  try {
    const { status, text } = await response;
    const object = parsed(text);
    if (status === 200) return { found: object as T };
    const message = (object as { message?: string } | undefined)?.message ?? text.slice(0, 500);
    if (status === 401 || status === 403) return { forbidden: message || `reading ${path} is forbidden` };
    if (status === 404) return { missing: message.trim() || `${path} does not exist` };
    return { failed: `reading ${path}: the API server returned ${status}: ${message}` };
  } catch (error) {
    return { failed: `reading ${path}: ${(error as Error).message}` };
  }
}
