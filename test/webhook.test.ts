import type { Agent } from "node:https";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { admissionReview, patched, post } from "../src/cli/admission-client.ts";
import type { AdmissionAnswer } from "../src/cli/admission-client.ts";
import { applies } from "../src/engine/mutation.ts";
import type { Pod } from "../src/pod/types.ts";
import { configWith, containerOf, goldenPod } from "./support/pods.ts";
import { certificate, testWebhook } from "./support/webhook.ts";

// The real HTTPS server, over real sockets.

type TestWebhook = Awaited<ReturnType<typeof testWebhook>>;
const megabyte = 1024 * 1024;

async function ask(webhook: TestWebhook, body: unknown, agent: Agent = webhook.agent()): Promise<AdmissionAnswer> {
  const { status, text } = await post(webhook.port, agent, typeof body === "string" ? body : JSON.stringify(body));
  expect({ status, text: status === 200 ? "" : text }).toEqual({ status: 200, text: "" });
  return JSON.parse(text) as AdmissionAnswer;
}

/** Opens a raw TLS connection, to send data that an HTTP client would not send. */
async function raw(webhook: TestWebhook, text: string): Promise<{ socket: TLSSocket; received: () => string }> {
  const socket = connect({ host: "localhost", port: webhook.port, ca: webhook.issued.cert });
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.on("error", () => {}); // these tests expect that connections are closed
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  socket.write(text);
  return { socket, received: () => received };
}

describe("the webhook", () => {
  let webhook: TestWebhook;
  beforeAll(async () => {
    webhook = await testWebhook();
  });
  afterAll(() => webhook.end());

  test("a stock runner pod is primed", async () => {
    const pod = goldenPod("dind-sidecar");
    const answer = await ask(webhook, admissionReview(pod, "arc-runners"));
    expect(answer).toMatchObject({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "705ab4f5-6393-11e8-b7cc-42010a800002", allowed: true, patchType: "JSONPatch" },
    });
    expect(answer.response.warnings).toBeUndefined();
    expect(containerOf(patched(pod, answer), "runner").command).toContain("arc-primer-wait");
    expect(JSON.parse(answer.response.auditAnnotations?.["decision"] ?? "")).toMatchObject({
      applied: ["wait-for-docker"],
    });
  });

  test("logs one line per decision, without any part of the pod's spec", async () => {
    webhook.lines.length = 0;
    await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
    expect(webhook.lines).toEqual([
      {
        level: "info",
        time: expect.any(String),
        uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
        namespace: "arc-runners",
        pod: "linux-x64-7hs5v-runner-k2m9d",
        scaleSet: "linux-x64",
        decision: "mutate",
        mode: "enforce",
        profile: "default",
        applied: ["wait-for-docker"],
        skipped: {},
        patchOperations: expect.any(Number),
        milliseconds: expect.any(Number),
        msg: "decision",
      },
    ]);
  });

  test("with only a generateName, the log contains it followed by *", async () => {
    const pod = goldenPod("dind-sidecar");
    pod.metadata = { ...pod.metadata, generateName: "linux-x64-" };
    delete pod.metadata.name;
    webhook.lines.length = 0;
    await ask(webhook, admissionReview(pod, "arc-runners"));
    expect(webhook.lines[0]).toMatchObject({ pod: "linux-x64-*" });
  });

  const review = admissionReview(goldenPod("dind-sidecar"), "arc-runners") as { request: object };
  const changed = (changes: object) => admissionReview(goldenPod("dind-sidecar"), "arc-runners", changes);
  test.each<[string, object, string, object?]>([
    ["v1beta1", { ...review, apiVersion: "admission.k8s.io/v1beta1" }, "unsupported-review"],
    ["another kind of object", changed({ kind: { group: "apps", version: "v1", kind: "Deployment" } }), "not-a-pod"],
    ["an update", changed({ operation: "UPDATE" }), "not-a-create"],
    ["a subresource", changed({ subResource: "ephemeralcontainers" }), "not-a-create"],
    ["no object", changed({ object: undefined }), "no-object"],
    ["null instead of an object", changed({ object: null }), "no-object"],
    ["an object that is not a pod", changed({ object: { spec: 7 } }), "malformed-pod", { field: "metadata" }],
    ["a pod that is not a runner", changed({ object: goldenPod("listener") }), "not-a-runner"],
  ])("%s is admitted unchanged", async (_what, body, reason, more = {}) => {
    const { response, apiVersion } = await ask(webhook, body);
    expect(response).toMatchObject({ uid: "705ab4f5-6393-11e8-b7cc-42010a800002", allowed: true });
    expect(response.patch).toBeUndefined();
    expect(apiVersion).toBe((body as { apiVersion: string }).apiVersion);
    expect(JSON.parse(response.auditAnnotations?.["decision"] ?? "")).toEqual({ decision: "skip", reason, ...more });
  });

  test.each<[string, string, number, RegExp, Record<string, string>?]>([
    ["invalid JSON", "{", 400, /JSON/],
    ["a JSON scalar", "7", 400, /expected an AdmissionReview/],
    ["a list", "[]", 400, /expected an AdmissionReview/],
    ["another kind of object", '{"kind":"Pod"}', 400, /expected an AdmissionReview/],
    ["a review without a request", '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 400, /request/],
    ["a review without a uid", JSON.stringify(changed({ uid: undefined })), 400, /request\.uid/],
    ["a review whose uid is not a string", JSON.stringify(changed({ uid: { a: 1 } })), 400, /request\.uid/],
    ["an empty body", "", 400, /not JSON/],
    ["another content type", "{}", 415, /application\/json/, { "content-type": "text/plain" }],
    ["a compressed body", "{}", 415, /encoding/, { "content-type": "application/json", "content-encoding": "gzip" }],
    ["a body of more than 7 MiB", `{"a":"${"x".repeat(7 * megabyte)}"}`, 413, /too large/],
  ])("%s is rejected with a readable message", async (_what, body, status, message, headers) => {
    const answer = await post(webhook.port, webhook.agent({ keepAlive: false }), body, headers);
    expect(answer).toEqual({ status, text: expect.stringMatching(message) });
    expect(answer.text).toMatch(/^arc-primer: [^\n]*\n$/);
  });

  test("a review of 6 MB is read", async () => {
    const pod = goldenPod("dind-sidecar");
    const padded = { ...pod, metadata: { ...pod.metadata, managedFields: ["x".repeat(6 * megabyte)] } };
    const { response } = await ask(webhook, admissionReview(padded, "arc-runners"));
    expect(response.patch).toBeDefined();
  });

  test("a nesting depth of 10,000 is handled", async () => {
    const deep = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    const text = JSON.stringify(admissionReview({ ...goldenPod("dind-sidecar"), extra: "DEEP" }, "arc-runners"));
    const { response } = await ask(webhook, text.replace('"DEEP"', deep));
    expect(response.allowed).toBe(true);
    expect(response.patch).toBeDefined();
    const lists = await ask(
      webhook,
      JSON.stringify(changed({ object: "DEEP" })).replace('"DEEP"', "[".repeat(10_000) + "]".repeat(10_000)),
    );
    expect(lists.response.allowed).toBe(true);
  });

  test("rejects other paths and methods", async () => {
    const get = await raw(webhook, "GET /mutate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const other = await raw(
      webhook,
      "POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    await vi.waitFor(() => expect(get.received()).toMatch(/^HTTP\/1\.1 405 /));
    await vi.waitFor(() => expect(other.received()).toMatch(/^HTTP\/1\.1 404 /));
    expect(get.received()).toMatch(/Allow: POST/i);
    expect(get.received()).not.toMatch(/x-powered-by|etag/i);
  });

  test(
    "a client that sends a byte per second gets a 408; others are answered, and unused connections stay open",
    { timeout: 30_000 },
    async () => {
      const { socket, received } = await raw(
        webhook,
        "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
      );
      // In a burst, kube-apiserver opens connections that it does not use at once. They must stay open.
      const unused = connect({ host: "localhost", port: webhook.port, ca: webhook.issued.cert });
      let unusedClosed = false;
      unused.resume().once("close", () => (unusedClosed = true));
      const drip = setInterval(() => socket.write("{"), 1000);
      const started = performance.now();
      const closed = new Promise((resolve) => socket.once("close", resolve));
      await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
      await closed;
      clearInterval(drip);
      expect(received()).toMatch(/^HTTP\/1\.1 408 /);
      expect(performance.now() - started).toBeLessThan(14_000);
      expect(unusedClosed).toBe(false);
      unused.destroy();
    },
  );

  test("data that is not HTTP, and connections without TLS, are rejected", async () => {
    const { received } = await raw(webhook, "\0 nonsense\r\n\r\n");
    await vi.waitFor(() => expect(received()).toMatch(/^HTTP\/1\.1 400 /));
    await expect(fetch(`http://localhost:${webhook.port}/mutate`)).rejects.toThrow("fetch failed");
    await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
  });

  test(
    "concurrent request bodies that exceed the memory limit are rejected, and the next one is served",
    { timeout: 30_000 },
    async () => {
      const head = `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${7 * megabyte}\r\n\r\n`;
      const senders = await Promise.all(
        Array.from({ length: 12 }, () => raw(webhook, head + "x".repeat(6 * megabyte))),
      );
      await vi.waitFor(
        () => expect(senders.some(({ received }) => received().startsWith("HTTP/1.1 503"))).toBe(true),
        10_000,
      );
      for (const { socket } of senders) socket.destroy();
      await vi.waitFor(async () => ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners")));
    },
  );

  test(
    "requests that are answered before their bodies have arrived do not leak memory",
    { timeout: 30_000 },
    async () => {
      const head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n";
      for (let round = 0; round < 10; round += 1) {
        const senders = await Promise.all(Array.from({ length: 10 }, () => raw(webhook, head + "x".repeat(1_000_000))));
        await vi.waitFor(() =>
          expect(senders.every(({ received }) => received().startsWith("HTTP/1.1 415"))).toBe(true),
        );
        for (const { socket } of senders) socket.destroy();
      }
      await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
    },
  );

  test("an endless body is rejected as soon as it is too large", async () => {
    const head =
      "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const chunk = `100000\r\n${" ".repeat(megabyte)}\r\n`;
    const { socket, received } = await raw(webhook, head + chunk.repeat(8));
    await vi.waitFor(() => expect(received()).toMatch(/^HTTP\/1\.1 413 /), 3000);
    socket.destroy();
  });

  test("a pod with 40,000 volumes is admitted unchanged quickly", async () => {
    const pod = goldenPod("dind-sidecar");
    pod.spec.volumes = Array.from({ length: 40_000 }, (_, index) => ({ name: `v${index}` }));
    const started = performance.now();
    const { response } = await ask(webhook, admissionReview(pod, "arc-runners"));
    expect(response.warnings).toEqual([expect.stringContaining("(pod-too-large)")]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("idle connections, however many, do not lock other clients out", { timeout: 60_000 }, async () => {
    const idle: TLSSocket[] = [];
    for (let count = 0; count < 1100; count += 1) {
      const socket = connect({ host: "localhost", port: webhook.port, ca: webhook.issued.cert });
      socket.on("error", () => {});
      idle.push(socket);
      if (count % 50 === 0) await new Promise((resolve) => socket.once("secureConnect", resolve));
    }
    const { response } = await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
    expect(response.allowed).toBe(true);
    for (const socket of idle) socket.destroy();
  });

  test.each([
    ["TLSv1", "TLSv1"],
    ["TLSv1.1", "TLSv1.1"],
  ] as const)("rejects %s", async (minVersion, maxVersion) => {
    const agent = webhook.agent({ minVersion, maxVersion, ciphers: "DEFAULT@SECLEVEL=0" });
    await expect(post(webhook.port, agent, "{}")).rejects.toThrow(/protocol version|EPROTO|ssl/i);
  });

  test("idle connections are kept open longer than kube-apiserver keeps them (90 s)", async () => {
    const { socket, received } = await raw(webhook, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await vi.waitFor(() => expect(received()).toMatch(/Keep-Alive: timeout=(\d+)/i));
    expect(Number(/timeout=(\d+)/.exec(received())?.[1])).toBeGreaterThanOrEqual(120);
    socket.destroy();
  });

  test("serves health, readiness and metrics without TLS", async () => {
    await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
    expect((await webhook.ops("/healthz")).status).toBe(200);
    expect((await webhook.ops("/readyz")).status).toBe(200);
    const text = await (await webhook.ops("/metrics")).text();
    expect(text).toMatch(/^arc_primer_decisions_total\{decision="mutate",reason="",mode="enforce"\} \d+$/m);
    expect(text).toMatch(/^arc_primer_mutations_total\{mutation="wait-for-docker",result="applied",reason=""\} \d+$/m);
    expect(text).toMatch(/^arc_primer_refused_requests_total\{status="413"\} \d+$/m);
    expect(text).toMatch(/^arc_primer_certificate_expiry_timestamp_seconds \d+/m);
    expect((await webhook.ops("/mutate")).status).toBe(404);
  });
});

test("if a mutation throws, the others still apply and the pod is admitted", async () => {
  const fine = {
    name: "dockerd-settings" as const,
    configure: () => (pod: Pod) => {
      containerOf(pod, "dind").image = "x";
      return applies();
    },
  };
  const thrower = {
    name: "wait-for-docker" as const,
    configure: () => () => {
      throw new Error("oh no");
    },
  };
  const webhook = await testWebhook({ mutations: [thrower, fine] });
  const pod = goldenPod("dind-sidecar");
  const answer = await ask(webhook, admissionReview(pod, "arc-runners"));
  expect(answer.response.warnings).toEqual([expect.stringContaining("(mutation-failed)")]);
  expect(containerOf(patched(pod, answer), "dind").image).toBe("x");
  const line = webhook.lines.find(({ msg }) => msg === "decision");
  expect(line).toMatchObject({
    level: "warn",
    skipped: { "wait-for-docker": "mutation-failed" },
    errors: [expect.stringContaining("oh no")],
  });
  await webhook.end();
});

test("in audit mode, skipped pods are counted with mode audit", async () => {
  const config = configWith({}, { mode: "audit" });
  const webhook = await testWebhook({ config: () => config });
  const pod = goldenPod("dind-sidecar");
  await ask(webhook, admissionReview(pod, "arc-runners", { operation: "UPDATE" }));
  await ask(webhook, admissionReview({ ...pod, metadata: {} }, "arc-runners"));
  const metrics = await (await webhook.ops("/metrics")).text();
  for (const reason of ["not-a-create", "not-a-runner"]) {
    expect(metrics).toContain(`arc_primer_decisions_total{decision="skip",reason="${reason}",mode="audit"} 1`);
  }
  expect(metrics).not.toContain('mode="enforce"');
  await webhook.end();
});

test("mutations that a profile does not configure are counted, but not reported", async () => {
  const webhook = await testWebhook();
  const pod = goldenPod("dind-sidecar");
  const answer = await ask(webhook, admissionReview(pod, "arc-runners"));
  const primed = patched(pod, answer);
  const reported = [answer.response.auditAnnotations, webhook.lines, primed.metadata.annotations];
  expect(JSON.stringify(reported)).toContain("wait-for-docker");
  expect(JSON.stringify(reported)).not.toContain("not-configured");
  const metrics = await (await webhook.ops("/metrics")).text();
  expect(metrics).toContain(
    'arc_primer_mutations_total{mutation="dockerd-settings",result="skipped",reason="not-configured"} 1',
  );
  await webhook.end();
});

describe("certificates", () => {
  test("a new certificate is used for new connections, and open ones are not affected", async () => {
    const webhook = await testWebhook();
    const open = webhook.agent({ maxSockets: 1 });
    const review = admissionReview(goldenPod("dind-sidecar"), "arc-runners");
    await ask(webhook, review, open);

    const next = await certificate();
    await webhook.write(next);
    const fresh = () => post(webhook.port, webhook.agent({ ca: next.cert, keepAlive: false }), JSON.stringify(review));
    await vi.waitFor(async () => expect((await fresh()).status).toBe(200), 3000);
    await ask(webhook, review, open); // still the first connection, because this agent trusts only the old certificate
    await webhook.end();
  });

  test("no review fails while the certificate is replaced repeatedly", async () => {
    const webhook = await testWebhook();
    const pairs = await Promise.all(Array.from({ length: 6 }, () => certificate()));
    const ca = [webhook.issued, ...pairs].map(({ cert }) => cert);
    const body = JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners"));
    const deadline = new AbortController();
    const results: number[] = [];
    const clients = [true, true, false, false].map(async (keepAlive) => {
      const agent = webhook.agent({ ca, keepAlive, maxSockets: 1 });
      while (!deadline.signal.aborted) results.push((await post(webhook.port, agent, body)).status);
    });
    for (const pair of pairs) {
      await webhook.write(pair);
      await sleep(150);
    }
    deadline.abort();
    await Promise.all(clients);
    expect(results.length).toBeGreaterThan(50);
    expect(results.every((status) => status === 200)).toBe(true);
    const accepted = webhook.lines.filter(({ msg }) => msg === "serving a new certificate");
    expect(accepted.length).toBeGreaterThan(3);
    await webhook.end();
  });

  test.each<[string, (now: Awaited<ReturnType<typeof certificate>>) => Promise<{ cert: string; key: string }>, RegExp]>(
    [
      ["not PEM", async (now) => ({ ...now, cert: "nonsense" }), /PEM|no start line/i],
      ["an empty file", async (now) => ({ ...now, key: "" }), /PEM|unsupported|no start line/i],
      [
        "another key",
        async (now) => ({ ...now, key: (await certificate()).key }),
        /private key does not match the certificate/,
      ],
      ["an expired certificate", () => certificate({ from: -2, to: -1 }), /the certificate expired on/],
    ],
  )("an invalid certificate (%s) is rejected, and the current one stays in use", async (_what, make, reason) => {
    const webhook = await testWebhook();
    await webhook.write(await make(webhook.issued));
    await vi.waitFor(() => {
      const line = webhook.lines.findLast(
        ({ msg }) => msg === "invalid certificate rejected; the current one stays in use",
      );
      expect(line?.["reason"]).toMatch(reason);
    });
    await ask(webhook, admissionReview(goldenPod("dind-sidecar"), "arc-runners"), webhook.agent({ keepAlive: false }));
    expect((await webhook.ops("/readyz")).status).toBe(200);
    await webhook.end();
  });

  test("ready only while there is a valid certificate", async () => {
    const webhook = await testWebhook({ issued: await certificate({ from: -2, to: -1 }) });
    const before = await webhook.ops("/readyz");
    expect(before.status).toBe(503);
    expect(await before.text()).toContain("no usable certificate");
    expect((await webhook.ops("/healthz")).status).toBe(200);
    await webhook.write(await certificate());
    await vi.waitFor(async () => expect((await webhook.ops("/readyz")).status).toBe(200));
    await webhook.end();
  });

  test("not ready after the certificate expires; a certificate that becomes valid soon is used then", async () => {
    const second = 1 / 3600;
    // Validity times of certificates are whole seconds.
    const webhook = await testWebhook({ issued: await certificate({ to: 2 * second }) });
    expect((await webhook.ops("/readyz")).status).toBe(200);
    await vi.waitFor(async () => expect(await (await webhook.ops("/readyz")).text()).toContain("expired on"), 4000);
    await webhook.write(await certificate({ from: 2 * second }));
    await vi.waitFor(() => expect(JSON.stringify(webhook.lines)).toContain("not valid before"));
    await vi.waitFor(async () => expect((await webhook.ops("/readyz")).status).toBe(200), 4000);
    await webhook.end();
  });
});

test("shutdown: readiness fails first, reviews are still answered for a while, incomplete requests are closed", async () => {
  const webhook = await testWebhook();
  const review = admissionReview(goldenPod("dind-sidecar"), "arc-runners");
  const agent = webhook.agent();
  await ask(webhook, review, agent);
  const incomplete = await raw(webhook, "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  const handshaking = connect({ host: "localhost", port: webhook.port, ca: webhook.issued.cert });
  const closed = new Promise((resolve) => incomplete.socket.once("close", resolve));

  const stopped = webhook.stop(400);
  const readiness = await webhook.ops("/readyz");
  expect({ status: readiness.status, text: await readiness.text() }).toEqual({ status: 503, text: "shutting down\n" });
  await ask(webhook, review, agent); // on the open connection
  await ask(webhook, review); // and on a new one
  const started = performance.now();
  await stopped;
  await closed;
  expect(performance.now() - started).toBeLessThan(3000);
  await expect(post(webhook.port, webhook.agent(), "{}")).rejects.toThrow(/ECONNREFUSED/);
  handshaking.destroy();
  agent.destroy();
});
