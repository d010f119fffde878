import { Agent, request } from "node:https";
import type { RequestOptions } from "node:https";
import type { Connection } from "./connection.ts";
import { Conflict } from "./objects.ts";

const timeoutMilliseconds = 10_000;

/** An object in the cluster. */
export interface Target {
  readonly path: string;
  /** The kind and name of the object, for error messages. */
  readonly what: string;
  /** The required permission, for error messages. */
  readonly right: string;
}

/** Reads or patches an object, and returns the object from the response. */
export type ApiRequest = <T>(method: "GET" | "PATCH", target: Target, patch?: object) => Promise<T>;

/**
 * Creates the function that sends requests to the API server. It throws an error that names the object if the status of
 * the response is not 200.
 *
 * @param patchType the type of the patches
 * @param onServerTime called with the API server's time from each response
 */
export function createApiRequest(
  { server, credentials }: Connection,
  patchType: "strategic-merge-patch" | "merge-patch",
  onServerTime: (time: number) => void = () => undefined,
): ApiRequest {
  const agent = new Agent({ keepAlive: true });

  return async <T>(method: string, { path, what, right }: Target, patch?: object) => {
    const doing = `${method === "GET" ? "reading" : "updating"} ${what}`;
    if (!server.startsWith("https:")) {
      throw new Error(`${doing}: no cluster configured: there is neither a KUBECONFIG nor a service account token`);
    }
    const { ca, cert, key, headers } = await credentials().catch((error: Error) => {
      throw new Error(`${doing}: no credentials for the API server: ${error.message}`);
    });
    const url = new URL(`${server}${path}${patch ? "?fieldManager=arc-primer" : ""}`);
    const { status, text, date } = await exchange(
      url,
      { method, headers, agent, ca, cert, key },
      patchType,
      patch,
    ).catch((error) => {
      throw new Error(`${doing}: cannot reach the API server at ${server}: ${reasonOf(error)}`);
    });
    if (date) onServerTime(date);
    if (status === 200) return JSON.parse(text) as T;
    if (status === 409) throw new Conflict(`${doing}: it was modified by another client`);
    if (status === 404) throw new Error(`${doing}: not found; it must exist already (the chart creates it)`);
    if (status === 403) throw new Error(`${doing}: forbidden; required permission: ${right}`);
    throw new Error(`${doing}: the API server answered ${status}: ${text.slice(0, 500)}`);
  };
}

interface ApiResponse {
  readonly status: number;
  readonly text: string;
  /** The time in the Date header, in milliseconds since 1970; 0 if there is none. */
  readonly date: number;
}

async function exchange(url: URL, options: RequestOptions, patchType: string, patch?: object): Promise<ApiResponse> {
  const body = patch ? JSON.stringify(patch) : "";
  const headers = {
    ...(options.headers as Record<string, string>),
    accept: "application/json",
    ...(patch && { "content-type": `application/${patchType}+json` }),
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const outgoing = request(url, { ...options, headers, signal }, (response) => {
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
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** If the connection is refused at several addresses, the error is an AggregateError without a message. */
function reasonOf(error: Error & { code?: string; errors?: Error[] }): string {
  if (error.name === "AbortError") return `no response within ${timeoutMilliseconds / 1000} s`;
  return error.errors?.map(({ message }) => message).join(", ") || error.message || (error.code ?? "unknown error");
}
