import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pair } from "../tls/pair.ts";

/**
 * Milliseconds, for the webhook's port. kube-apiserver keeps idle connections for about 90 s, and does not try again when one is closed under
 * its POST: nothing may close a connection before that. In a burst it also opens connections that it does not use at
 * once, and Node counts the time for headers and request from a connection's start, so these two must be long as well.
 * Bodies and answers have shorter times of their own (routes.ts).
 */
const webhookTimes = {
  handshakeTimeout: 5_000,
  headersTimeout: 120_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 180_000,
};
/** For the operators' port. Nothing is lost there by closing a connection: probes and Prometheus come again. */
const opsTimes = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 60_000,
};
const maxConnections = { webhook: 1024, ops: 64 };
/** How long requests that have not arrived whole are waited for at the end. */
const halfSentGrace = 1_000;

export interface Addresses {
  /** All addresses if absent: of IPv6 and IPv4, as far as the machine has them. */
  readonly host?: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly opsPort: number;
  /** Where the operators' port is, if it is not `host`. */
  readonly opsHost?: string | undefined;
}

export interface ServerOptions extends Addresses {
  /** PEM: only clients with a certificate of this authority may speak to the webhook. Everybody may if absent. */
  readonly clientCA?: string | undefined;
}

export interface Servers {
  readonly port: number;
  readonly opsPort: number;
  /** Serves this pair to every new connection; open ones go on as they are. */
  swap(pair: Pair): void;
  /** Takes this for the authority of clients from now on. Only where there was one from the start. */
  trustClients(pem: string): void;
  /** Takes no more connections, answers what has arrived whole, cuts the rest. */
  close(): Promise<void>;
}

/**
 * Starts the HTTPS listener (TLS 1.2 or later) and the plain one for operators. Until `swap` is called, TLS handshakes
 * fail.
 *
 * @throws if a port is taken
 */
export async function startServers(
  webhook: RequestListener,
  ops: RequestListener,
  { host, port, opsPort, opsHost = host, clientCA }: ServerOptions,
): Promise<Servers> {
  const clients = clientCA === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  const https = createHttpsServer({ ...webhookTimes, ...clients, minVersion: "TLSv1.2" }, webhook);
  const http = createHttpServer(opsTimes, ops);
  https.on("secureConnection", readInPieces);
  const connections = limitConnections(https, maxConnections.webhook);
  limitConnections(http, maxConnections.ops);
  let context: SecureContextOptions = { minVersion: "TLSv1.2", ca: clientCA };
  try {
    await Promise.all([listen(https, host, port), listen(http, opsHost, opsPort)]);
  } catch (error) {
    https.close(); // the other one may be up
    http.close();
    throw error;
  }
  return {
    port: (https.address() as AddressInfo).port,
    opsPort: (http.address() as AddressInfo).port,
    swap({ cert, key }) {
      context = { ...context, cert, key };
      https.setSecureContext(context);
    },
    trustClients(pem) {
      context = { ...context, ca: pem };
      if (context.cert) https.setSecureContext(context);
    },
    async close() {
      const closed = Promise.all([once(https, "close"), once(http, "close")]);
      https.close();
      http.close();
      http.closeAllConnections();
      const cut = sleep(halfSentGrace, undefined, { ref: false }).then(() => {
        for (const socket of connections.values()) socket.destroy();
      });
      await Promise.race([closed, cut]);
      await closed;
    },
  };
}

/**
 * Without a listener, Node's HTTP parser reads from the TLS layer directly, and goes on with everything that has arrived
 * after the connection was destroyed. With one it gets pieces of at most 16 KiB, and none after that. Pipelined requests,
 * on which a connection is destroyed, then cost a tenth (docs/decisions/0008).
 */
function readInPieces(socket: Socket): void {
  socket.on("data", () => undefined);
}

/**
 * Closes the least recently used connection for a new one when there are too many: idle connections must not shut
 * kube-apiserver out. Those in their handshake count as well.
 *
 * @returns the open connections, the least recently used first
 */
function limitConnections(server: Server, most: number): ReadonlyMap<string, Socket> {
  const connections = new Map<string, Socket>();
  const nameOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`; // the same with TLS and without
  server.on("connection", (socket: Socket) => {
    if (connections.size >= most) {
      const [oldest = "", victim] = connections.entries().next().value ?? [];
      connections.delete(oldest); // now, and not at its close: many may come before that
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
