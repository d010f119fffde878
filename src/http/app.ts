import express from "express";
import type { ErrorRequestHandler, Express } from "express";
import type { Admit } from "../admission/admit.ts";
import { UnreadableReview } from "../admission/review.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { bodyLimits } from "./body-limits.ts";

/** What controller-runtime allows, too: a review can hold an object and an old object, each up to etcd's 3 MiB. */
const maxBody = 7 * 1024 * 1024;
/** All bodies that are arriving, together; and how long one may take. */
const bodies = { bytes: 64 * 1024 * 1024, milliseconds: 10_000 };

/** The webhook: `POST /mutate`. Everything that is not a readable review gets a 4xx in plain words. */
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

  app.post("/mutate", bodyLimits(bodies), express.json({ limit: maxBody, inflate: false }), (request, response) => {
    if (request.body === undefined) {
      throw Object.assign(new Error("expected a body of the content type application/json"), { status: 415 });
    }
    response.json(admit(request.body));
  });
  app.all("/mutate", (_request, response) => {
    refuse(response.set("allow", "POST"), 405, "admission reviews are sent with POST");
  });
  app.use((_request, response) => refuse(response, 404, "there is only POST /mutate here"));

  const onError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
    const status = error instanceof UnreadableReview ? 400 : (error.status ?? 500);
    if (status >= 500) log.error({ error: error.stack }, "a request failed");
    refuse(response, status, error.message);
  };
  app.use(onError);
  return app;

  function refuse(response: express.Response, status: number, message: string): void {
    metrics.refused(status);
    if (response.headersSent) return;
    response.status(status).type("text/plain").send(`arc-primer: ${message}\n`);
  }
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
