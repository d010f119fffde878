import type { IncomingMessage } from "node:http";
import type { RequestHandler } from "express";

/** A request that is answered with this status and this message. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface BodyLimits {
  /** The largest body, in bytes. */
  readonly each: number;
  /** All bodies that are arriving at a time, in bytes. */
  readonly together: number;
  /** From a request's headers to the end of its body. */
  readonly milliseconds: number;
}

/**
 * The middleware that reads JSON bodies into `request.body`. It bounds what they may cost over all connections, in memory
 * while they arrive and in time: a body is given up the moment it exceeds a limit, not when it has been read (Express's
 * own parser reads on). An HttpError goes to the error handler.
 */
export function jsonBody(limits: BodyLimits): RequestHandler {
  let inFlight = 0;

  async function receive(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    return new Promise<Buffer>((resolve, reject) => {
      const giveUp = (status: number, message: string) => end(() => reject(new HttpError(status, message)));
      const late = () => giveUp(408, "the request's body took too long to arrive");
      const gone = () => giveUp(400, "the request ended before its body did");
      const complete = () => end(() => resolve(Buffer.concat(chunks)));
      const take = (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        inFlight += chunk.length;
        if (size > limits.each) giveUp(413, `the body is too large: the limit is ${limits.each} bytes`);
        else if (inFlight > limits.together) giveUp(503, "too many request bodies at once; try again");
      };
      const timer = setTimeout(late, limits.milliseconds);
      request.on("data", take).once("end", complete).once("close", gone).once("error", gone);

      function end(settle: () => void): void {
        clearTimeout(timer);
        request.off("data", take).off("end", complete).off("close", gone);
        inFlight -= size;
        settle();
      }
    });
  }

  async function parse(request: IncomingMessage): Promise<unknown> {
    const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
    if (!/^application\/json\s*(;|$)/i.test(type))
      throw new HttpError(415, "expected the content type application/json");
    if (encoding.toLowerCase() !== "identity") throw new HttpError(415, `the encoding ${encoding} is not taken`);
    if (Number(request.headers["content-length"] ?? 0) > limits.each) {
      throw new HttpError(413, `the body is too large: the limit is ${limits.each} bytes`);
    }
    const body = await receive(request);
    try {
      return JSON.parse(body.toString("utf8")) as unknown;
    } catch (error) {
      throw new HttpError(400, `the body is not JSON: ${(error as Error).message.replaceAll(/\s+/g, " ")}`);
    }
  }

  return async (request, _response, next) => {
    request.body = await parse(request);
    next();
  };
}
