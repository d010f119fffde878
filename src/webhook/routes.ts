import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import express from "express";
import type { ErrorRequestHandler, Express } from "express";
import type { Admit } from "./admit.ts";
import { UnreadableReview } from "./review.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { Refusal, jsonReader } from "./body.ts";

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

/**
 * The webhook: POST to one of `mutatePaths`. Everything that is not a readable review gets a 4xx in plain words.
 *
 * Express has the routes; reviews go past it, because its way to a handler takes as much time as a review itself
 * (docs/decisions/0015).
 */
export function createWebhookApp(parts: {
  admit: Admit;
  log: Logger;
  metrics: Metrics;
  /** While true, answers ask the client to close its connection. */
  draining: () => boolean;
}): RequestListener {
  const { admit, log, metrics, draining } = parts;
  const read = jsonReader(limits);

  function refuse(error: Error & { status?: number }, request: IncomingMessage, response: ServerResponse): void {
    const status = error instanceof UnreadableReview ? 400 : (error.status ?? 500);
    if (status >= 500) log.error({ error: error.stack }, "a request failed");
    metrics.refused(status);
    if (hasBody(request) && !request.complete) {
      // The rest of the body is not wanted. It is drained for a moment, so that the client gets to read the answer.
      response.setHeader("connection", "close");
      request.resume();
      setTimeout(() => request.destroy(), lingering).unref();
    }
    send(response, status, "text/plain; charset=utf-8", `arc-primer: ${error.message}\n`);
  }

  const app = quietExpress();
  for (const path of Object.keys(mutatePaths)) {
    app.all(path, (_request, response) => {
      response.set("allow", "POST");
      throw new Refusal(405, "admission reviews are sent with POST");
    });
  }
  app.use(() => {
    throw new Refusal(404, `there is only POST here, to ${Object.keys(mutatePaths).join(", ")}`);
  });
  const onError: ErrorRequestHandler = (error, request, response, _next) => refuse(error as Error, request, response);
  app.use(onError);

  return (request, response) => {
    if (draining()) response.setHeader("connection", "close");
    const level = request.method === "POST" ? levelOf(request) : undefined;
    if (!level) return void app(request, response);
    read(request)
      .then((body) => send(response, 200, "application/json", admit(body, level)))
      .catch((error: Error) => refuse(error, request, response));
  };
}

/** What the path says of the namespace: undefined if it is not one for reviews. */
function levelOf({ url = "" }: IncomingMessage): PodSecurity | undefined {
  const path = url.split("?", 1)[0]!;
  return Object.hasOwn(mutatePaths, path) ? mutatePaths[path] : undefined;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The operators' port, without TLS: `/healthz`, `/readyz`, `/metrics`. */
export function createOpsApp(parts: { metrics: Metrics; notReady: () => string | undefined }): Express {
  const { metrics, notReady } = parts;
  const app = quietExpress();
  app.get("/healthz", (_request, response) => void response.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, response) => {
    const reason = notReady();
    response
      .status(reason ? 503 : 200)
      .type("text/plain")
      .send(`${reason ?? "ok"}\n`);
  });
  app.get("/metrics", async (_request, response) => {
    const { text, contentType } = await metrics.expose();
    response.type(contentType).send(text);
  });
  app.use((_request, response) => {
    response.status(404).type("text/plain").send("there are /healthz, /readyz and /metrics here\n");
  });
  return app;
}

function quietExpress(): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.set("env", "production"); // or errors would be answered with stack traces
  return app;
}
