import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { BundleMetrics } from "./metrics.ts";
import type { Store, Stored } from "./store.ts";

/**
 * Bounds of the port that every pod of the cluster may reach. Times are in milliseconds. A pod whose download is refused or
 * cut off installs its packages itself.
 */
export interface DownloadLimits {
  readonly connections: number;
  /** From one address: one pod, or all of a node's where the network translates addresses. */
  readonly connectionsOfOne: number;
  /** For which a connection may stand still. */
  readonly idle: number;
  /** Bytes a second, below which a download is cut off once a minute has passed. */
  readonly slowest: number;
}

export const downloadLimits: DownloadLimits = {
  connections: 256,
  connectionsOfOne: 32,
  idle: 10_000,
  slowest: 256 * 1024,
};
const always = 60_000;

/** The server of bundles: GET or HEAD of `/SHA256.tar`, by plain HTTP. Whoever asks knows the digest, and checks it. */
export function createDownloads(parts: { store: Store; metrics: BundleMetrics; limits: DownloadLimits }): Server {
  const { store, metrics, limits } = parts;
  const server = createServer(
    { headersTimeout: limits.idle, requestTimeout: limits.idle, connectionsCheckingInterval: 1000 },
    (request, response) => {
      request.resume(); // a body is of no interest
      const refusal = refusalOf(request);
      if (refusal) {
        metrics.request("refused", 0);
        return refuse(response, ...refusal);
      }
      const bundle = store.find(digestIn(request.url) ?? "");
      if (!bundle) {
        metrics.request("not-found", 0);
        return refuse(response, 404, "there is no such bundle here; /SHA256.tar is the path of one");
      }
      void send(request, response, bundle, { metrics, limits });
    },
  );
  server.timeout = limits.idle;
  server.keepAliveTimeout = 1000;
  server.maxConnections = limits.connections;
  server.on("connection", limitEach(limits.connectionsOfOne));
  return server;
}

const digestIn = (url = "") => /^\/([0-9a-f]{64})\.tar$/.exec(url)?.[1];

function refusalOf({ method }: IncomingMessage): [number, string] | undefined {
  return method === "GET" || method === "HEAD" ? undefined : [405, "bundles are read with GET or HEAD"];
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (status === 405) response.setHeader("allow", "GET, HEAD");
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`arc-primer: ${message}\n`);
}

async function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { path, bytes }: Stored,
  { metrics, limits }: { metrics: BundleMetrics; limits: DownloadLimits },
): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-tar", "content-length": bytes });
  if (method === "HEAD") {
    metrics.request("sent", 0);
    return void response.end();
  }
  // In pieces that fit a socket's buffer: what waits for a slow reader is one of them, not the file.
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const deadline = setTimeout(() => response.destroy(), always + (bytes / limits.slowest) * 1000);
  try {
    await pipeline(file, response);
    metrics.request("sent", file.bytesRead);
  } catch {
    // By the reader, or by a limit: the pod's log says what it makes of that. A reader that has everything may close its
    // connection before Node knows that the last piece was taken.
    metrics.request(response.writableEnded ? "sent" : "cut-off", file.bytesRead);
  } finally {
    clearTimeout(deadline);
  }
}

/** Closes each connection beyond so many from one address. */
function limitEach(most: number): (socket: Socket) => void {
  const counts = new Map<string, number>();
  return (socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    socket.once("close", () => {
      const left = counts.get(address)! - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
    if (count > most) socket.destroy();
  };
}
