import { randomBytes } from "node:crypto";
import { get, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bundleTar, observers, temporaryFolder } from "../../test/support/bundles.ts";
import { createDownloads, downloadLimits } from "./download.ts";
import type { DownloadLimits } from "./download.ts";
import { openStore } from "./store.ts";
import type { Store } from "./store.ts";

// The server for downloads, over real sockets.

const { folder: directory, remove } = temporaryFolder();
const content = bundleTar({ changes: randomBytes(32 * 1024 * 1024) });
let store: Store;
let sha256: string;
const servers: Server[] = [];
beforeAll(async () => {
  store = await openStore({ directory, limit: 2 ** 30, clock: Date.now });
  ({ sha256 } = await store.add(Readable.from([content]), "ab".repeat(32), () => undefined));
});
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
  remove();
});

async function start(limits: Partial<DownloadLimits> = {}) {
  const { metrics, metric } = observers();
  const server = createDownloads({ store, metrics, limits: { ...downloadLimits, ...limits } });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, metric, url: (path: string) => `http://localhost:${port}${path}` };
}

async function ask(url: string, method = "GET", body?: string): Promise<{ response: IncomingMessage; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ response, bytes: Buffer.concat(chunks) });
      } catch (error) {
        reject(error as Error);
      }
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

describe("a bundle", () => {
  test("is returned complete for its SHA-256", async () => {
    const { url, metric } = await start();
    const { response, bytes } = await ask(url(`/${sha256}.tar`));
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      "content-length": String(content.length),
      "content-type": "application/x-tar",
    });
    expect(bytes.equals(content)).toBe(true);
    await vi.waitFor(async () => expect(await metric('arc_primer_bundle_requests_total{result="sent"')).toBe(1));
    expect(await metric("arc_primer_bundle_sent_bytes_total")).toBe(content.length);
  });

  test("has its size in the response to HEAD", async () => {
    const { url } = await start();
    const { response, bytes } = await ask(url(`/${sha256}.tar`), "HEAD");
    expect(response.headers["content-length"]).toBe(String(content.length));
    expect(bytes).toHaveLength(0);
  });

  test("is downloaded by ten pods at once without being loaded into memory", async () => {
    const { url } = await start();
    const before = process.memoryUsage.rss();
    const sizes = Array.from({ length: 10 }, async () => {
      let bytes = 0;
      return new Promise<number>((resolve, reject) => {
        get(url(`/${sha256}.tar`), { agent: false }, (response) => {
          response.on("data", (chunk: Buffer) => (bytes += chunk.length));
          response.once("end", () => resolve(bytes));
        }).once("error", reject);
      });
    });
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([content.length]));
    expect(process.memoryUsage.rss() - before).toBeLessThan(5 * content.length);
  });
});

describe("any other request is rejected:", () => {
  test.each<[string, string, string, number]>([
    ["another digest", "GET", `/${"0".repeat(64)}.tar`, 404],
    ["a list", "GET", "/", 404],
    ["a path outside the directory", "GET", "/../store/x.tar", 404],
    ["a path with a query", "GET", "/QUERY", 404],
    ["a digest in capitals", "GET", "/UPPER", 404],
    ["a PUT", "PUT", "/NAME", 405],
    ["a POST", "POST", "/NAME", 405],
    ["a DELETE", "DELETE", "/NAME", 405],
    ["a PATCH", "PATCH", "/NAME", 405],
  ])("%s", async (_what, method, path, status) => {
    const { url, metric } = await start();
    const names = { NAME: `${sha256}.tar`, QUERY: `${sha256}.tar?x=1`, UPPER: `${sha256.toUpperCase()}.tar` };
    const asked = path.replace(/[A-Z]+$/, (name) => names[name as keyof typeof names] ?? name);
    const { response, bytes } = await ask(url(asked), method, method === "GET" ? undefined : "x");
    expect(response.statusCode).toBe(status);
    expect(bytes.toString()).toMatch(/^arc-primer: /);
    expect(response.headers.allow).toBe(status === 405 ? "GET, HEAD" : undefined);
    const result = status === 405 ? "refused" : "not-found";
    expect(await metric(`arc_primer_bundle_requests_total{result="${result}"`)).toBe(1);
    expect((await ask(url(`/${sha256}.tar`))).bytes.equals(content)).toBe(true); // is not changed
  });
});

/** Requests the bundle, and reads no data. */
async function stalledClient(port: number) {
  const socket = connect(port, "localhost");
  socket.on("error", () => undefined);
  socket.write(`GET /${sha256}.tar HTTP/1.1\r\nhost: a\r\n\r\n`);
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

describe("a client", () => {
  test("that reads no data is disconnected", async () => {
    const { port, metric } = await start({ idle: 300 });
    const socket = await stalledClient(port);
    await vi.waitFor(
      async () => expect(await metric('arc_primer_bundle_requests_total{result="cut-off"')).toBe(1),
      5000,
    );
    expect(await metric("arc_primer_bundle_sent_bytes_total")).toBeLessThan(content.length);
    socket.destroy();
  });

  test("beyond the limit for one address is disconnected, and the others are not", async () => {
    const { port, url } = await start({ connectionsPerAddress: 3 });
    const sockets = await Promise.all([1, 2, 3].map(async () => stalledClient(port)));
    await expect(ask(url(`/${sha256}.tar`))).rejects.toThrow(/hang up|ECONNRESET/);
    expect(sockets.some(({ destroyed }) => destroyed)).toBe(false);
    sockets.pop()?.destroy();
    await sleep(100);
    expect((await ask(url(`/${sha256}.tar`))).bytes.length).toBe(content.length);
    for (const socket of sockets) socket.destroy();
  });

  test("beyond the limit for all addresses is disconnected", async () => {
    const { port, url } = await start({ connections: 2 });
    const sockets = await Promise.all([1, 2].map(async () => stalledClient(port)));
    await expect(ask(url(`/${sha256}.tar`))).rejects.toThrow(/hang up|ECONNRESET/);
    for (const socket of sockets) socket.destroy();
  });

  test("that never sends a complete request is disconnected", async () => {
    const { port } = await start({ idle: 300 });
    const socket = connect(port, "localhost");
    socket.on("error", () => undefined);
    socket.write("GET /");
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(socket.destroyed).toBe(true);
  });
});
