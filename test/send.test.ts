import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { selfSigned } from "../src/tls/certificate.ts";
import { send } from "./support/send.ts";

// A server that closes the connection on the second request, as a server does after its keep-alive timeout.
let url: URL;
let requests = 0;
const served = new WeakMap<Socket, number>();
const server = createServer((request, response) => {
  const count = (served.get(request.socket) ?? 0) + 1;
  served.set(request.socket, count);
  if (count > 1 || request.url === "/never") return void request.socket.destroy();
  requests += 1;
  request.pipe(response);
});
const options = { method: "POST", rejectUnauthorized: false };

beforeAll(async () => {
  const now = Date.now();
  const { cert, key } = await selfSigned(["localhost"], {
    from: new Date(now - 60_000),
    to: new Date(now + 3_600_000),
  });
  server.setSecureContext({ cert, key });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

test("a request over a stale connection is retried once", async () => {
  expect((await send(url, options, "first")).text).toBe("first");
  expect((await send(url, options, "second")).text).toBe("second");
  expect(requests).toBe(2);
});

test("a request that fails over a new connection is not retried", async () => {
  await expect(send(new URL("/never", url), options, "")).rejects.toThrow(/socket hang up|ECONNRESET/);
});
