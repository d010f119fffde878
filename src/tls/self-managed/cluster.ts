import { Agent, request } from "node:https";
import type { RequestOptions } from "node:https";
import type { Connection } from "./connection.ts";
import { Conflict } from "./objects.ts";
import type { ClusterObjects } from "./objects.ts";

const milliseconds = 10_000;

interface Secret {
  metadata: { resourceVersion: string };
  data?: Record<string, string>;
}
interface WebhookConfiguration {
  metadata: { resourceVersion: string };
  webhooks?: { name: string; clientConfig?: { caBundle?: string } }[];
}

/**
 * The two objects in a real cluster.
 *
 * They are written by strategic merge patches that carry the version which was read (the API server answers 409 if it
 * is not the present one) and only the fields that are ours: whatever else is there stays, also what this program does
 * not know. The rights it takes are `get` and `patch` of these two, by name.
 */
export function clusterObjects(
  connection: Connection,
  secret: { namespace: string; name: string },
  configuration: string,
): ClusterObjects {
  let clock: { time: number; at: number } | undefined;
  const ask = askWith(connection, (time) => (clock = { time, at: performance.now() }));
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
      const { metadata, data = {} } = await ask<Secret>("GET", secretTarget);
      const content = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decoded(value)]));
      return { version: metadata.resourceVersion, content };
    },
    async writeSecret(version, values) {
      const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encoded(value)]));
      await ask("PATCH", secretTarget, { metadata: { resourceVersion: version }, data });
    },
    serverTime: () => clock && clock.time + performance.now() - clock.at,
    async entries() {
      const { metadata, webhooks = [] } = await ask<WebhookConfiguration>("GET", configurationTarget);
      if (!webhooks.length) throw new Error(`${configurationTarget.what} has no webhooks`);
      const content = webhooks.map(({ name, clientConfig }) => ({
        name,
        caBundle: decoded(clientConfig?.caBundle ?? ""),
      }));
      return { version: metadata.resourceVersion, content };
    },
    async writeEntries(version, entries) {
      const webhooks = entries.map(({ name, caBundle }) => ({ name, clientConfig: { caBundle: encoded(caBundle) } }));
      await ask("PATCH", configurationTarget, { metadata: { resourceVersion: version }, webhooks });
    },
  };
}

interface Target {
  readonly path: string;
  readonly what: string;
  readonly right: string;
}

/** One request to the API server; the object that it answers. */
type Ask = <T>(method: "GET" | "PATCH", target: Target, patch?: object) => Promise<T>;

/** @param tell is given the API server's time, as each answer has it */
function askWith({ server, credentials }: Connection, tell: (time: number) => void): Ask {
  const agent = new Agent({ keepAlive: true });

  return async <T>(method: string, { path, what, right }: Target, patch?: object) => {
    const doing = `${method === "GET" ? "reading" : "changing"} ${what}`;
    if (!server.startsWith("https:")) {
      throw new Error(`${doing}: there is neither a KUBECONFIG nor a service account's token to reach a cluster with`);
    }
    const { ca, cert, key, headers } = await credentials().catch((error: Error) => {
      throw new Error(`${doing}: no credentials for the API server: ${error.message}`);
    });
    const url = new URL(`${server}${path}${patch ? "?fieldManager=arc-primer" : ""}`);
    const { status, text, date } = await exchange(url, { method, headers, agent, ca, cert, key }, patch).catch(
      (error) => {
        throw new Error(`${doing}: the API server at ${server} does not answer: ${reasonOf(error)}`);
      },
    );
    if (date) tell(date);
    if (status === 200) return JSON.parse(text) as T;
    if (status === 409) throw new Conflict(`${doing}: somebody else has changed it`);
    if (status === 404)
      throw new Error(`${doing}: it is not there; the chart makes it, and this program only fills it`);
    if (status === 403) throw new Error(`${doing}: it is forbidden; what it takes is ${right}`);
    throw new Error(`${doing}: the API server answered ${status}: ${text.slice(0, 500)}`);
  };
}

interface Exchanged {
  readonly status: number;
  readonly text: string;
  /** Milliseconds since 1970; 0 if the answer does not say. */
  readonly date: number;
}

async function exchange(url: URL, options: RequestOptions, patch?: object): Promise<Exchanged> {
  const body = patch ? JSON.stringify(patch) : "";
  const headers = {
    ...(options.headers as Record<string, string>),
    accept: "application/json",
    ...(patch && { "content-type": "application/strategic-merge-patch+json" }),
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(milliseconds);
    const sent = request(url, { ...options, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString("utf8"),
          date: Date.parse(response.headers.date ?? "") || 0,
        }),
      );
      response.once("error", reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** A refused connection to several addresses is an AggregateError without a message of its own. */
function reasonOf(error: Error & { code?: string; errors?: Error[] }): string {
  if (error.name === "AbortError") return `no answer within ${milliseconds / 1000} s`;
  return error.errors?.map(({ message }) => message).join(", ") || error.message || (error.code ?? "no reason given");
}

const encoded = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const decoded = (text: string): string => Buffer.from(text, "base64").toString("utf8");
