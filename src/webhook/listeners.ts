import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServingCertificate } from "../tls/serving-certificate.ts";

/**
 * Timeouts of the webhook's port, in milliseconds. kube-apiserver keeps idle connections for about 90 s, and it does not
 * retry a POST if the connection is closed. So the server must not close a connection earlier. During a burst,
 * kube-apiserver also opens connections that it does not use at once. Node.js measures headersTimeout and requestTimeout
 * from the start of the connection, so these two must be long as well. Bodies and answers have separate, shorter timeouts
 * (routes.ts).
 */
const webhookTimes = {
  handshakeTimeout: 5_000,
  headersTimeout: 120_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 180_000,
};
/** Timeouts of the ops port, in milliseconds. Connections can be closed early: probes and Prometheus retry. */
const opsTimes = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 60_000,
};
const maxConnections = { webhook: 1024, ops: 64 };
/** How long to wait at shutdown for requests that have not arrived completely, in milliseconds. */
const incompleteRequestGrace = 1_000;

export interface Addresses {
  /** The address to listen on. Default: all IPv6 and IPv4 addresses of the machine. */
  readonly host?: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly opsPort: number;
  /** The address of the ops port. Default: `host`. */
  readonly opsHost?: string | undefined;
}

export interface ServerOptions extends Addresses {
  /** If set, the webhook accepts only clients with a certificate signed by this CA. In PEM. */
  readonly clientCA?: string | undefined;
}

export interface Servers {
  readonly port: number;
  readonly opsPort: number;
  /** Uses this certificate and key for new connections. Open connections are not affected. */
  setCertificate(certificate: ServingCertificate): void;
  /** Replaces the client CA. Only valid if there was one at startup. */
  setClientCA(pem: string): void;
  /** Accepts no new connections, answers requests that have arrived completely, and closes the other connections. */
  close(): Promise<void>;
}

/**
 * Starts the HTTPS listener (TLS 1.2 or later) and the HTTP listener of the ops port. TLS handshakes fail until
 * `setCertificate` is called.
 *
 * @throws if a port is in use
 */
export async function startServers(
  webhook: RequestListener,
  ops: RequestListener,
  { host, port, opsPort, opsHost = host, clientCA }: ServerOptions,
): Promise<Servers> {
  const clients = clientCA === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  const https = createHttpsServer({ ...webhookTimes, ...clients, minVersion: "TLSv1.2" }, webhook);
  const http = createHttpServer(opsTimes, ops);
  https.on("secureConnection", readInChunks);
  const connections = limitConnections(https, maxConnections.webhook);
  limitConnections(http, maxConnections.ops);
  let context: SecureContextOptions = { minVersion: "TLSv1.2", ca: clientCA };
  try {
    await Promise.all([listen(https, host, port), listen(http, opsHost, opsPort)]);
  } catch (error) {
    https.close(); // the other listener may already be running
    http.close();
    throw error;
  }
  return {
    port: (https.address() as AddressInfo).port,
    opsPort: (http.address() as AddressInfo).port,
    setCertificate({ cert, key }) {
      context = { ...context, cert, key };
      https.setSecureContext(context);
    },
    setClientCA(pem) {
      context = { ...context, ca: pem };
      if (context.cert) https.setSecureContext(context);
    },
    async close() {
      const closed = Promise.all([once(https, "close"), once(http, "close")]);
      https.close();
      http.close();
      http.closeAllConnections();
      const timeout = sleep(incompleteRequestGrace, undefined, { ref: false }).then(() => {
        for (const socket of connections.values()) socket.destroy();
      });
      await Promise.race([closed, timeout]);
      await closed;
    },
  };
}

/**
 * Without a "data" listener, the HTTP parser of Node.js reads directly from the TLS layer. It then continues to parse
 * everything that has arrived, even after the connection was destroyed. With a listener, it gets chunks of at most 16 KiB,
 * and none after the connection was destroyed. A client that pipelines requests is disconnected (answers.ts), and its
 * remaining requests then take less memory (docs/decisions/0008).
 */
function readInChunks(socket: Socket): void {
  socket.on("data", () => undefined);
}

/**
 * Limits the number of connections. At the limit, the least recently used connection is closed for a new one, so that idle
 * connections cannot lock kube-apiserver out. Connections in their TLS handshake count, too.
 *
 * @returns the open connections, the least recently used first
 */
function limitConnections(server: Server, limit: number): ReadonlyMap<string, Socket> {
  const connections = new Map<string, Socket>();
  const nameOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`; // the same for the TLS socket and its underlying socket
  server.on("connection", (socket: Socket) => {
    if (connections.size >= limit) {
      const [oldest = "", victim] = connections.entries().next().value ?? [];
      connections.delete(oldest); // removed here and not in its "close" event, because many new connections may come before that
      victim?.destroy();
    }
    const name = nameOf(socket);
    connections.set(name, socket);
    socket.once("close", () => connections.delete(name));
  });
  server.on("request", ({ socket }: { socket: Socket }) => {
    const name = nameOf(socket);
    const connection = connections.get(name);
    if (!connection) return;
    connections.delete(name);
    connections.set(name, connection);
  });
  return connections;
}

async function listen(server: Server, host: string | undefined, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
