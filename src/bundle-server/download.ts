import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { BundleMetrics } from "./metrics.ts";
import type { Store, Stored } from "./store.ts";

/**
 * The limits of the download port, which every pod of the cluster may reach. Times are in milliseconds. A pod whose download is
 * rejected or interrupted installs its packages itself.
 */
export interface DownloadLimits {
  readonly connections: number;
  /** Connections from one address: one pod, or all pods of a node if the network translates addresses. */
  readonly connectionsPerAddress: number;
  /** The maximum time without any transfer on a connection. */
  readonly idle: number;
  /** The minimum average rate in bytes per second. A download may take one minute more than this rate allows. */
  readonly minRate: number;
}

export const downloadLimits: DownloadLimits = {
  connections: 256,
  connectionsPerAddress: 32,
  idle: 10_000,
  minRate: 256 * 1024,
};
const extraTime = 60_000;

/** The server for downloads: GET or HEAD of `/SHA256.tar` over plain HTTP. Clients know the digest and verify it. */
export function createDownloads(parts: { store: Store; metrics: BundleMetrics; limits: DownloadLimits }): Server {
  const { store, metrics, limits } = parts;
  const server = createServer(
    { headersTimeout: limits.idle, requestTimeout: limits.idle, connectionsCheckingInterval: 1000 },
    (request, response) => {
      request.resume(); // discards a body
      const refusal = refusalOf(request);
      if (refusal) {
        metrics.request("refused", 0);
        return refuse(response, ...refusal);
      }
      const bundle = store.find(digestIn(request.url) ?? "");
      if (!bundle) {
        metrics.request("not-found", 0);
        return refuse(response, 404, "bundle not found; the path of a bundle is /SHA256.tar");
      }
      void send(request, response, bundle, { metrics, limits });
    },
  );
  server.timeout = limits.idle;
  server.keepAliveTimeout = 1000;
  server.maxConnections = limits.connections;
  server.on("connection", limitPerAddress(limits.connectionsPerAddress));
  return server;
}

const digestIn = (url = "") => /^\/([0-9a-f]{64})\.tar$/.exec(url)?.[1];

function refusalOf({ method }: IncomingMessage): [number, string] | undefined {
  return method === "GET" || method === "HEAD" ? undefined : [405, "only GET and HEAD are supported"];
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
  // The chunks fit into a socket's buffer, so that a slow client keeps one chunk in memory, not the file.
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const deadline = setTimeout(() => response.destroy(), extraTime + (bytes / limits.minRate) * 1000);
  try {
    await pipeline(file, response);
    metrics.request("sent", file.bytesRead);
  } catch {
    // Interrupted by the client or by a limit. A client that has received everything may close its connection before Node.js
    // sees that the last chunk was sent.
    metrics.request(response.writableEnded ? "sent" : "cut-off", file.bytesRead);
  } finally {
    clearTimeout(deadline);
  }
}

/** Closes a new connection if its address has more than the maximum number of connections. */
function limitPerAddress(max: number): (socket: Socket) => void {
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
    if (count > max) socket.destroy();
  };
}
