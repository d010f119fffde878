import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { KeyPair } from "../../src/tls/certificate.ts";

/** The daemon responds, accepts connections without responding, or rejects the client's API version. */
export type Behaviour = "answers" | "hangs" | "other-version";

export interface FakeDaemon {
  /** Can be changed at run time. */
  behaviour: Behaviour;
  /** The requested paths. */
  readonly requests: string[];
  /** The TCP port, if it listens on TCP. */
  readonly port: number;
  close(): Promise<void>;
}

/** Implements the part of the Docker Engine API that clients use first: `/_ping` and `/version`. */
export async function fakeDaemon(
  where: { socket: string } | { tls?: KeyPair },
  behaviour: Behaviour = "answers",
): Promise<FakeDaemon> {
  const requests: string[] = [];
  const state = { behaviour };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request.url ?? "");
    if (state.behaviour === "hangs") return;
    response.setHeader("Content-Type", "application/json");
    if (state.behaviour === "other-version") {
      response.statusCode = 400;
      response.end('{"message":"client version 1.99 is too new. Maximum supported API version is 1.41"}');
      return;
    }
    response.setHeader("Api-Version", "1.44");
    if (request.url?.includes("_ping")) response.end("OK");
    else response.end('{"Version":"29.0.0","ApiVersion":"1.44","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64"}');
  };
  const server: Server =
    "tls" in where && where.tls
      ? createTlsServer({ cert: where.tls.cert, key: where.tls.key }, answer)
      : createServer(answer);
  await new Promise<void>((resolve) => {
    if ("socket" in where) server.listen(where.socket, resolve);
    else server.listen(0, "localhost", resolve);
  });
  return {
    get behaviour() {
      return state.behaviour;
    },
    set behaviour(value) {
      state.behaviour = value;
    },
    requests,
    port: (server.address() as AddressInfo).port,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
