import type { RequestHandler } from "express";

/**
 * Bounds the memory that request bodies take while they arrive: past `limit` bytes in flight, over all connections,
 * the request that went over is answered 503 and cut. kube-apiserver then does what failurePolicy says.
 */
export function bodyBudget(limit: number): RequestHandler {
  let inFlight = 0;
  return (request, response, next) => {
    let mine = 0;
    request.on("data", (chunk: Buffer) => {
      mine += chunk.length;
      inFlight += chunk.length;
      if (inFlight <= limit || response.headersSent) return;
      response.set("connection", "close").status(503).type("text/plain");
      response.end("arc-primer: too many request bodies at once; try again\n", () => request.destroy());
    });
    response.once("close", () => {
      inFlight -= mine;
    });
    next();
  };
}
