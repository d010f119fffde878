import express from "express";
import type { ErrorRequestHandler, Express } from "express";
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
}): Express {
  const { admit, log, metrics, draining } = parts;
  const app = quietExpress();
  app.use((_request, response, next) => {
    if (draining()) response.set("connection", "close");
    next();
  });

  const read = jsonReader(limits);
  for (const [path, podSecurity] of Object.entries(mutatePaths)) {
    app.post(path, async (request, response) => {
      response.json(admit(await read(request), podSecurity));
    });
    app.all(path, (_request, response) => {
      response.set("allow", "POST");
      throw new Refusal(405, "admission reviews are sent with POST");
    });
  }
  app.use(() => {
    throw new Refusal(404, `there is only POST here, to ${Object.keys(mutatePaths).join(", ")}`);
  });

  const onError: ErrorRequestHandler = (error: Error & { status?: number }, request, response, _next) => {
    const status = error instanceof UnreadableReview ? 400 : (error.status ?? 500);
    if (status >= 500) log.error({ error: error.stack }, "a request failed");
    metrics.refused(status);
    if (hasBody(request) && !request.complete) {
      // The rest of the body is not wanted. It is drained for a moment, so that the client gets to read the answer.
      response.set("connection", "close");
      request.resume();
      setTimeout(() => request.destroy(), lingering).unref();
    }
    response.status(status).type("text/plain").send(`arc-primer: ${error.message}\n`);
  };
  app.use(onError);
  return app;
}

function hasBody({ headers }: express.Request): boolean {
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
