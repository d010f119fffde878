import type { RequestHandler, Response } from "express";

/**
 * Bounds what request bodies may cost, over all connections: in memory, while they arrive, and in time. The request
 * that goes over is answered 503 or 408 and cut; kube-apiserver then does what failurePolicy says.
 *
 * @param limits.bytes of bodies in flight at once
 * @param limits.milliseconds from a request's headers to the end of its body
 */
export function bodyLimits(limits: { bytes: number; milliseconds: number }): RequestHandler {
  let inFlight = 0;
  return (request, response, next) => {
    let mine = 0;
    const timer = setTimeout(() => cut(408, "the request's body took too long to arrive"), limits.milliseconds);
    request.on("data", (chunk: Buffer) => {
      mine += chunk.length;
      inFlight += chunk.length;
      if (inFlight > limits.bytes) cut(503, "too many request bodies at once; try again");
    });
    request.once("end", () => clearTimeout(timer));
    response.once("close", () => {
      clearTimeout(timer);
      inFlight -= mine;
    });
    next();

    function cut(status: number, message: string): Response | undefined {
      if (response.headersSent) return undefined;
      response.set("connection", "close").status(status).type("text/plain");
      return response.end(`arc-primer: ${message}\n`, () => request.destroy());
    }
  };
}
