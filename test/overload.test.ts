import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectPlain } from "node:net";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { admissionReview, post } from "../src/cli/admission-client.ts";
import type { AdmissionAnswer } from "../src/cli/admission-client.ts";
import { createAnswers } from "../src/webhook/answers.ts";
import { distinctKeys, emptyMaps, longText, manyMounts, nested, wrongEverywhere } from "./support/attacks.ts";
import { goldenPod } from "./support/pods.ts";
import { testWebhook } from "./support/webhook.ts";

// Load and attacks from clients other than the API server. The timeouts are generous, because the machine may be busy.

type TestWebhook = Awaited<ReturnType<typeof testWebhook>>;
const megabyte = 1024 * 1024;
const review = JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
const head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

let webhook: TestWebhook;
beforeAll(async () => {
  webhook = await testWebhook();
});
afterAll(() => webhook.end());

async function ask(body: string): Promise<AdmissionAnswer> {
  const { status, text } = await post(webhook.port, webhook.agent({ keepAlive: false }), body);
  expect({ status, text: status === 200 ? "" : text }).toEqual({ status: 200, text: "" });
  return JSON.parse(text) as AdmissionAnswer;
}

async function raw(text: string): Promise<{ socket: TLSSocket; received: () => string; closed: () => boolean }> {
  const socket = connect({ host: "localhost", port: webhook.port, ca: webhook.issued.cert });
  let received = "";
  let closed = false;
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.on("error", () => {}); // these tests expect that connections are closed
  socket.once("close", () => (closed = true));
  // Not events.once, because it rejects when the connection is closed.
  await new Promise((resolve) => socket.once("secureConnect", resolve).once("close", resolve));
  socket.write(text);
  return { socket, received: () => received, closed: () => closed };
}

describe("a body", () => {
  test.each<[string, string, string, string?]>([
    ["500,000 errors", wrongEverywhere(500), "pod-too-large"],
    ["19,000 errors", wrongEverywhere(19), "malformed-pod", "spec.containers[0].env[0]"],
    ["96,000 mounts", manyMounts(96), "pod-too-large"],
    ["a string of 2.9 MB", longText(2_900_000), "pod-too-large"],
  ])("with %s is admitted unchanged, quickly and with the reason", async (_what, body, reason, field) => {
    const started = performance.now();
    const { response } = await ask(body);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(response).toMatchObject({ uid: "u", allowed: true });
    expect(response.patch).toBeUndefined();
    expect(response.warnings).toEqual([expect.stringContaining(`(${reason})`)]);
    expect(JSON.parse(response.auditAnnotations?.["decision"] ?? "")).toEqual({
      decision: "skip",
      reason,
      ...(field !== undefined && { field }),
    });
  });

  test.each<[string, string]>([
    ["6,000 mounts", manyMounts(6)],
    ["a string of 1 MB", longText(1_000_000)],
  ])("with %s is primed", async (_what, body) => {
    const started = performance.now();
    expect((await ask(body)).response.patch).toBeDefined();
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("that is too complex to parse is logged with the pod's name, and counted", async () => {
    webhook.lines.length = 0;
    await ask(manyMounts(96));
    expect(webhook.lines).toMatchObject([
      { level: "warn", namespace: "team-a", pod: "big", decision: "skip", reason: "pod-too-large" },
    ]);
    const metrics = await (await webhook.ops("/metrics")).text();
    expect(metrics).toMatch(
      /^arc_primer_decisions_total\{decision="skip",reason="pod-too-large",mode="enforce"\} \d+$/m,
    );
  });

  test.each<[string, string]>([
    ["3,400,000 nested lists", nested(3_400_000)],
    ["2,400,000 empty maps", emptyMaps(7 * megabyte - 10)],
    ["600,000 maps of different shapes", distinctKeys(7 * megabyte - 100)],
    ["a pod with too many parts, before the uid", manyMounts(96).replace('"kind":"AdmissionReview",', '"x":[],')],
  ])("of %s is rejected without being parsed", async (_what, body) => {
    const started = performance.now();
    const answer = await post(webhook.port, webhook.agent({ keepAlive: false }), body);
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/^arc-primer: [^\n]+\n$/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("in 200,000 chunks of one byte is assembled", async () => {
    const padded = review + " ".repeat(200_000 - review.length);
    const pieces = Array.from(padded, (letter) => `${Buffer.byteLength(letter).toString(16)}\r\n${letter}\r\n`);
    const { received, socket } = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${pieces.join("")}0\r\n\r\n`);
    await vi.waitFor(() => expect(received()).toMatch(/^HTTP\/1\.1 200 /), 8000);
    socket.destroy();
  });
});

test("ten stalled bodies do not affect ordinary reviews", { timeout: 30_000 }, async () => {
  const over = new AbortController();
  const statusLines: string[] = [];
  const stall = async (size: number): Promise<void> => {
    while (!over.signal.aborted) {
      const { socket, received } = await raw(`${head}Content-Length: ${size}\r\n\r\n${" ".repeat(size - 1)}`);
      const end = new Promise((resolve) => (socket.closed ? resolve(0) : socket.once("close", resolve)));
      await Promise.race([end, over.signal.aborted || once(over.signal, "abort")]);
      statusLines.push(received().slice(0, 12));
      socket.destroy();
    }
  };
  const stalled = [...Array.from({ length: 9 }, () => 7 * megabyte), megabyte - 200].map(stall);
  for (let count = 0; count < 10; count += 1) expect((await ask(review)).response.allowed).toBe(true);
  await vi.waitFor(() => expect(statusLines).toContain("HTTP/1.1 503"), 10_000);
  over.abort();
  await Promise.all(stalled);
});

test("a connection that sends the next request without waiting is closed", async () => {
  const one = `${head}Content-Length: ${Buffer.byteLength(review)}\r\n\r\n${review}`;
  const { received, closed } = await raw(one.repeat(160));
  await vi.waitFor(() => expect(closed()).toBe(true));
  expect(received().split("HTTP/1.1 ").length).toBeLessThanOrEqual(2);
});

test("a connection that waits for each response stays open", async () => {
  const agent = webhook.agent({ maxSockets: 1 });
  for (let count = 0; count < 100; count += 1) expect((await post(webhook.port, agent, review)).status).toBe(200);
});

/** Starts a server that sends responses of 8 MiB. */
async function listen(limits: { maxTotalBytes: number; milliseconds: number }) {
  const { oneAtATime, send } = createAnswers(limits);
  const server = createServer(
    oneAtATime((_request, response) => send(response, 200, "text/plain", "x".repeat(8 * megabyte))),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const open = async () => {
    const socket = connectPlain((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return socket.pause();
  };
  const connections = async () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  return { server, open, connections };
}

describe("responses that clients do not read", () => {
  test("are dropped after a timeout", async () => {
    const { server, open, connections } = await listen({ maxTotalBytes: 100 * megabyte, milliseconds: 300 });
    await open();
    await vi.waitFor(async () => expect(await connections()).toBe(0), 5000);
    server.close();
  });

  test("are dropped in favour of newer ones if there are too many", async () => {
    const { server, open, connections } = await listen({ maxTotalBytes: 20 * megabyte, milliseconds: 60_000 });
    const sockets = [await open(), await open(), await open(), await open()];
    await vi.waitFor(async () => expect(await connections()).toBe(2), 5000);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

test("incomplete requests, however many, do not block probes of the ops port", { timeout: 30_000 }, async () => {
  const sockets = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const socket = connectPlain(webhook.opsPort, "localhost").on("error", () => {});
      await once(socket, "connect");
      socket.write("GET /healthz HTTP/1.1\r\n");
      return socket;
    }),
  );
  expect((await webhook.ops("/healthz")).status).toBe(200);
  await vi.waitFor(() => expect(sockets.filter(({ destroyed }) => destroyed).length).toBeGreaterThan(230), 5000);
  for (const socket of sockets) socket.destroy();
});
