import { Agent, request } from "node:https";
import type { RequestOptions } from "node:https";
import type { Connection } from "./connection.ts";
import { Conflict } from "./objects.ts";

const milliseconds = 10_000;

/** An object of the cluster. */
export interface Target {
  readonly path: string;
  /** For people: its kind and name. */
  readonly what: string;
  /** What has to allow this, for people. */
  readonly right: string;
}

/** One request to the API server, a patch by the type that goes with it; the object that it answers. */
export type Ask = <T>(method: "GET" | "PATCH", target: Target, patch?: object) => Promise<T>;

/**
 * Makes the function that asks the API server. It throws, in words that name the object, where the answer is not 200.
 *
 * @param patchType how patches are meant
 * @param tell is given the API server's time, as each answer has it
 */
export function askWith(
  { server, credentials }: Connection,
  patchType: "strategic-merge-patch" | "merge-patch",
  tell: (time: number) => void = () => undefined,
): Ask {
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
    const { status, text, date } = await exchange(
      url,
      { method, headers, agent, ca, cert, key },
      patchType,
      patch,
    ).catch((error) => {
      throw new Error(`${doing}: the API server at ${server} does not answer: ${reasonOf(error)}`);
    });
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

async function exchange(url: URL, options: RequestOptions, patchType: string, patch?: object): Promise<Exchanged> {
  const body = patch ? JSON.stringify(patch) : "";
  const headers = {
    ...(options.headers as Record<string, string>),
    accept: "application/json",
    ...(patch && { "content-type": `application/${patchType}+json` }),
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
