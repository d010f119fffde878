import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RequestHandler } from "express";
import { createBudget } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { UnparsedReview } from "./review.ts";
import { isTooComplex } from "./structure.ts";
import type { StructureLimits } from "./structure.ts";

/** An error that is answered with this HTTP status and message. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface BodyLimits {
  /** The maximum size of one body, in bytes. */
  readonly maxBytes: number;
  /** The maximum total size of all bodies that are not parsed yet, in bytes. */
  readonly maxTotalBytes: number;
  /** The maximum time from a request's headers to the end of its body, in milliseconds. */
  readonly milliseconds: number;
  /** Bodies larger than this, in bytes, are parsed one at a time, so that ordinary reviews are answered in between. */
  readonly largeBytes: number;
  /** The limits for parsing. A more complex review is answered without parsing its pod. */
  readonly structure: StructureLimits;
}

/**
 * The middleware that reads JSON bodies into `request.body`. It limits their memory and time over all connections. A body
 * is rejected as soon as it exceeds a limit, not after it has been read (Express's own parser reads it to the end). Errors
 * are HttpErrors, which go to the error handler.
 */
export function jsonBody(limits: BodyLimits): RequestHandler {
  const budget = createBudget(limits.maxTotalBytes);
  let queue: Promise<unknown> = Promise.resolve();

  /** Waits for the earlier large bodies: each is parsed in its own turn of the event loop. */
  async function waitForTurn(): Promise<void> {
    queue = queue.then(async () => nextTurn());
    await queue;
  }

  return async (request, _response, next) => {
    checkHeaders(request, limits);
    const { body, release } = await receive(request, limits, budget);
    try {
      if (body.length > limits.largeBytes) await waitForTurn();
      request.body = parse(body, limits.structure);
    } finally {
      release();
    }
    next();
  };
}

function checkHeaders({ headers }: IncomingMessage, { maxBytes }: BodyLimits): void {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new HttpError(415, "expected the content type application/json");
  if (encoding.toLowerCase() !== "identity") throw new HttpError(415, `unsupported content encoding ${encoding}`);
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

const tooLarge = (maxBytes: number) => new HttpError(413, `the body is too large: the limit is ${maxBytes} bytes`);

interface Received {
  readonly body: Buffer;
  /** Must be called when the body is no longer needed. */
  release(): void;
}

async function receive(request: IncomingMessage, limits: BodyLimits, budget: Budget): Promise<Received> {
  return new Promise((resolve, reject) => {
    let buffer: Buffer = Buffer.alloc(0);
    const announced = Number(request.headers["content-length"] ?? 0);
    let size = 0;
    let arrived = false;
    const abort = (error: HttpError) => {
      if (arrived) return; // the client has sent the whole body, which now only waits to be parsed
      release();
      end(() => reject(error));
    };
    const release = () => {
      share.release();
      free(buffer);
    };
    const share = budget.reserve(() => abort(new HttpError(503, "too many request bodies at once; try again later")));
    const onTimeout = () => abort(new HttpError(408, "timeout while reading the request body"));
    const onClose = () => abort(new HttpError(400, "the connection was closed before the whole request body arrived"));
    const onEnd = () => {
      arrived = true;
      end(() => resolve({ body: buffer.subarray(0, size), release }));
    };
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > limits.maxBytes) return abort(tooLarge(limits.maxBytes));
      buffer = withRoom(buffer, size, chunk, announced);
      size += chunk.length;
      if (buffer !== chunk) {
        chunk.copy(buffer, size - chunk.length);
        free(chunk);
      }
      share.resize(buffer.length);
    };
    const timer = setTimeout(onTimeout, limits.milliseconds);
    request.on("data", onData).once("end", onEnd).once("close", onClose).once("error", onClose);

    function end(settle: () => void): void {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      settle();
    }
  });
}

/**
 * Collects a body in one growing buffer, because it may come in a million chunks. Most bodies come in one chunk, which is
 * used without copying. For a large body, the buffer is allocated with the announced size (Content-Length), but only after
 * part of the body has arrived. This avoids repeated copies, whose old buffers take memory, too.
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
 * Frees the memory of a buffer immediately. Otherwise it would be kept until the next garbage collection, which does not
 * account for its size. Only for buffers that own their memory: small ones share a pool.
 */
function free({ buffer, byteLength }: Buffer): void {
  const ownsMemory = byteLength > 4096 && byteLength === buffer.byteLength;
  if (ownsMemory) (buffer as ArrayBuffer & { transfer?: (length: number) => void }).transfer?.(0);
}

function parse(body: Buffer, structure: StructureLimits): unknown {
  if (isTooComplex(body, structure)) return new UnparsedReview(body);
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch (error) {
    throw new HttpError(400, `the body is not JSON: ${(error as Error).message.replaceAll(/\s+/g, " ")}`);
  }
}
