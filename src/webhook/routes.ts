import type { IncomingMessage, RequestListener } from "node:http";
import express from "express";
import type { ErrorRequestHandler, Express } from "express";
import type { Admit } from "./admit.ts";
import { UnreadableReview } from "./review.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import { createAnswers } from "./answers.ts";
import type { Answers } from "./answers.ts";
import { HttpError, jsonBody } from "./body.ts";

const mebibyte = 1024 * 1024;
// See docs/decisions/0008 for the reasons for these values.
const limits = {
  maxBytes: 7 * mebibyte,
  maxTotalBytes: 24 * mebibyte,
  milliseconds: 10_000,
  largeBytes: 64 * 1024,
  structure: { depth: 12_000, parts: 100_000 },
};
const answerLimits = { maxTotalBytes: 16 * mebibyte, milliseconds: 10_000 };
/** How long to drain a rejected request, in milliseconds, so that the client can read the error response. */
const drainMilliseconds = 1_000;

/**
 * The URL path for each Pod Security level that a namespace can enforce. A review does not contain the labels of the
 * namespace. So the webhook configuration has one entry per level, each with its own path.
 */
export const mutatePaths: Readonly<Record<string, PodSecurity>> = {
  "/mutate": "privileged",
  "/mutate/baseline": "baseline",
  "/mutate/restricted": "restricted",
};

/** The webhook: POST to one of `mutatePaths`. Anything that is not a readable review gets a 4xx with a text message. */
export function createWebhookApp(parts: {
  admit: Admit;
  log: Logger;
  metrics: Metrics;
  /** While it returns true, responses ask the client to close its connection. */
  draining: () => boolean;
}): RequestListener {
  const { admit, log, metrics, draining } = parts;
  const readBody = jsonBody(limits);
  const { oneAtATime, send } = createAnswers(answerLimits);
  const app = quietExpress();
  app.use((_request, response, next) => {
    if (draining()) response.setHeader("connection", "close");
    next();
  });
  for (const [path, podSecurity] of Object.entries(mutatePaths)) {
    app.post(path, readBody, (request, response) => {
      send(response, 200, "application/json", admit(request.body, podSecurity));
    });
    app.all(path, (_request, response) => {
      response.set("allow", "POST");
      throw new HttpError(405, "method not allowed; send admission reviews with POST");
    });
  }
  app.use(() => {
    throw new HttpError(
      404,
      `not found; send admission reviews with POST to one of ${Object.keys(mutatePaths).join(", ")}`,
    );
  });
  app.use(errorHandler({ log, metrics, send }));
  return oneAtATime(app);
}

interface ErrorParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly send: Answers["send"];
}

function errorHandler({ log, metrics, send }: ErrorParts): ErrorRequestHandler {
  return (error: Error & { status?: number }, request, response, _next) => {
    const status = error instanceof UnreadableReview ? 400 : (error.status ?? 500);
    if (status >= 500) log.error({ error: error.stack }, "a request failed");
    metrics.refused(status);
    if (hasBody(request) && !request.complete) {
      // Drain the rest of the body for a moment, so that the client can read the response.
      response.setHeader("connection", "close");
      request.resume();
      setTimeout(() => request.destroy(), drainMilliseconds).unref();
    }
    send(response, status, "text/plain; charset=utf-8", `arc-primer: ${error.message}\n`);
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The ops port, without TLS: `/healthz`, `/readyz`, `/metrics`. */
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
    response.status(404).type("text/plain").send("not found; available: /healthz, /readyz, /metrics\n");
  });
  return app;
}

function quietExpress(): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.enable("strict routing");
  app.enable("case sensitive routing");
  app.set("env", "production"); // otherwise error responses would contain stack traces
  return app;
}
