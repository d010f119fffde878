import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RequestHandler } from "express";
import { createBudget } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { UnparsedReview } from "./review.ts";
import { isTooComplex } from "./structure.ts";
import type { StructureLimits } from "./structure.ts";

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
  /** All bodies at a time, in bytes, until they are parsed. */
  readonly together: number;
  /** From a request's headers to the end of its body. */
  readonly milliseconds: number;
  /** Bodies larger than this wait for each other, so that ordinary reviews are answered in between. */
  readonly ordinary: number;
  /** What is parsed. A review with more structure is answered without looking at its pod. */
  readonly structure: StructureLimits;
}

/**
 * The middleware that reads JSON bodies into `request.body`. It bounds what they may cost over all connections, in memory
 * and in time: a body is given up the moment it exceeds a limit, not when it has been read (Express's own parser reads
 * on). An HttpError goes to the error handler.
 */
export function jsonBody(limits: BodyLimits): RequestHandler {
  const budget = createBudget(limits.together);
  let line: Promise<unknown> = Promise.resolve();

  /** Waits until the large bodies that came earlier have been answered. */
  async function inLine(): Promise<void> {
    line = line.then(async () => nextTurn());
    await line;
  }

  return async (request, _response, next) => {
    checkHeaders(request, limits);
    const { body, release } = await receive(request, limits, budget);
    try {
      if (body.length > limits.ordinary) await inLine();
      request.body = parse(body, limits.structure);
    } finally {
      release();
    }
    next();
  };
}

function checkHeaders({ headers }: IncomingMessage, { each }: BodyLimits): void {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new HttpError(415, "expected the content type application/json");
  if (encoding.toLowerCase() !== "identity") throw new HttpError(415, `the encoding ${encoding} is not taken`);
  if (Number(headers["content-length"] ?? 0) > each) throw tooLarge(each);
}

const tooLarge = (each: number) => new HttpError(413, `the body is too large: the limit is ${each} bytes`);

interface Received {
  readonly body: Buffer;
  /** To be called when the body is not needed any more. */
  release(): void;
}

async function receive(request: IncomingMessage, limits: BodyLimits, budget: Budget): Promise<Received> {
  return new Promise((resolve, reject) => {
    let buffer: Buffer = Buffer.alloc(0);
    const announced = Number(request.headers["content-length"] ?? 0);
    let size = 0;
    let arrived = false;
    const giveUp = (error: HttpError) => {
      if (arrived) return; // it waits in line, and that is not its fault
      release();
      end(() => reject(error));
    };
    const release = () => {
      holding.release();
      free(buffer);
    };
    const holding = budget.hold(() => giveUp(new HttpError(503, "too many request bodies at once; try again")));
    const late = () => giveUp(new HttpError(408, "the request's body took too long to arrive"));
    const gone = () => giveUp(new HttpError(400, "the request ended before its body did"));
    const complete = () => {
      arrived = true;
      end(() => resolve({ body: buffer.subarray(0, size), release }));
    };
    const take = (chunk: Buffer) => {
      if (size + chunk.length > limits.each) return giveUp(tooLarge(limits.each));
      buffer = withRoom(buffer, size, chunk, announced);
      size += chunk.length;
      if (buffer !== chunk) {
        chunk.copy(buffer, size - chunk.length);
        free(chunk);
      }
      holding.resize(buffer.length);
    };
    const timer = setTimeout(late, limits.milliseconds);
    request.on("data", take).once("end", complete).once("close", gone).once("error", gone);

    function end(settle: () => void): void {
      clearTimeout(timer);
      request.off("data", take).off("end", complete).off("close", gone);
      settle();
    }
  });
}

/**
 * One buffer that grows, since a body may come in a million chunks. Most come in one, which is taken as it is. Large ones
 * get the room that they have announced, once there is something of them: what a buffer leaves behind is memory, too.
 */
function withRoom(buffer: Buffer, size: number, chunk: Buffer, announced: number): Buffer {
  const needed = size + chunk.length;
  if (size === 0) return chunk;
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(
    needed > 2 ** 18 && announced > needed ? announced : Math.max(2 * buffer.length, needed),
  );
  buffer.copy(larger, 0, 0, size);
  free(buffer);
  return larger;
}

/**
 * Gives the memory of a buffer back now. It would else lie about until the next collection of garbage, which does not see
 * how much that is. Only where the buffer has all of its memory: small ones share theirs.
 */
function free({ buffer, byteLength }: Buffer): void {
  const isOwn = byteLength > 4096 && byteLength === buffer.byteLength;
  if (isOwn) (buffer as ArrayBuffer & { transfer?: (length: number) => void }).transfer?.(0);
}

function parse(body: Buffer, structure: StructureLimits): unknown {
  if (isTooComplex(body, structure)) return new UnparsedReview(body);
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch (error) {
    throw new HttpError(400, `the body is not JSON: ${(error as Error).message.replaceAll(/\s+/g, " ")}`);
  }
}
