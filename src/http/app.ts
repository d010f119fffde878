import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Admit } from "../admission/admit.ts";
import { UnreadableReview } from "../admission/review.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { PodSecurity } from "../mutations/mutation.ts";
import { Refusal, jsonReader } from "./read-body.ts";

const mebibyte = 1024 * 1024;
const limits = {
  // What controller-runtime allows, too: a review can hold an object and an old object, each up to etcd's 3 MiB.
  each: 7 * mebibyte,
  together: 64 * mebibyte,
  milliseconds: 10_000,
};
/** How long a client that is still sending may take to read that it was refused, in milliseconds. */
const lingering = 1_000;

/**
 * The paths, by the level of Pod Security that the namespace enforces. A review does not carry its namespace's labels,
 * so the registration has an entry for each level, with a path of its own.
 */
export const mutatePaths: Readonly<Record<string, PodSecurity>> = {
  "/mutate": "privileged",
  "/mutate/baseline": "baseline",
  "/mutate/restricted": "restricted",
};

/** The webhook: POST to one of `mutatePaths`. Everything that is not a readable review gets a 4xx in plain words. */
export function createWebhookApp(parts: {
  admit: Admit;
  log: Logger;
  metrics: Metrics;
  /** While true, answers ask the client to close its connection. */
  draining: () => boolean;
}): RequestListener {
  const { admit, log, metrics, draining } = parts;
  const read = jsonReader(limits);

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = pathOf(request);
    const podSecurity = Object.hasOwn(mutatePaths, path) ? mutatePaths[path] : undefined;
    if (!podSecurity) throw new Refusal(404, `there is only POST here, to ${Object.keys(mutatePaths).join(", ")}`);
    if (request.method !== "POST") throw new Refusal(405, "admission reviews are sent with POST");
    const review = admit(await read(request), podSecurity);
    return { status: 200, type: "application/json", body: JSON.stringify(review) };
  }

  function refusal(error: Error): Answer {
    const status = error instanceof UnreadableReview ? 400 : error instanceof Refusal ? error.status : 500;
    if (status >= 500) log.error({ error: error.stack }, "a request failed");
    metrics.refused(status);
    return { status, type: "text/plain; charset=utf-8", body: `arc-primer: ${error.message}\n` };
  }

  return async (request, response) => {
    if (draining()) response.setHeader("connection", "close");
    const { status, ...rest } = await answer(request).catch(refusal);
    if (status === 405) response.setHeader("allow", "POST");
    if (hasBody(request) && !request.complete) {
      // The rest of the body is not wanted. It is drained for a moment, so that the client gets to read the answer.
      response.setHeader("connection", "close");
      request.resume();
      setTimeout(() => request.destroy(), lingering).unref();
    }
    send(response, { status, ...rest });
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The operators' port, without TLS: `/healthz`, `/readyz`, `/metrics`. */
export function createOpsApp(parts: { metrics: Metrics; notReady: () => string | undefined }): RequestListener {
  const { metrics, notReady } = parts;
  const text = (status: number, words: string): Answer => ({
    status,
    type: "text/plain; charset=utf-8",
    body: `${words}\n`,
  });

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = request.method === "GET" || request.method === "HEAD" ? pathOf(request) : "";
    if (path === "/healthz") return text(200, "ok");
    if (path === "/readyz") {
      const reason = notReady();
      return text(reason ? 503 : 200, reason ?? "ok");
    }
    if (path !== "/metrics") return text(404, "there are /healthz, /readyz and /metrics here");
    const { text: body, contentType: type } = await metrics.expose();
    return { status: 200, type, body };
  }

  return async (request, response) => {
    send(response, await answer(request).catch((error: Error) => text(500, error.message)));
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}
