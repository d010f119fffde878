import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import { certificate, testWebhook } from "../../test/support/webhook.ts";
import { admissionReview } from "./admission-review.ts";
import type { Cluster } from "./connect.ts";
import { callWebhook } from "./call-webhook.ts";

// Calls the real webhook in this process at its URL. test/cluster/doctor.apiserver.test.ts calls it through the API server.

const cluster = {} as Cluster; // not used for a URL
const review = { path: "/mutate", review: admissionReview(goldenPod("dind-sidecar"), "ci", { dryRun: true }) };

describe("a call to a webhook", () => {
  let webhook: Awaited<ReturnType<typeof testWebhook>>;
  beforeAll(async () => {
    webhook = await testWebhook();
  });
  afterAll(async () => webhook.end());

  const callIt = async (changes: { servername?: string; ca?: string; reviews?: (typeof review)[] } = {}) =>
    callWebhook(
      cluster,
      { url: `https://localhost:${webhook.port}/mutate` },
      { servername: "localhost", ca: webhook.issued.cert, reviews: [review, review], ...changes },
    );

  test("returns its certificate and a response to each review", async () => {
    const { certificate: read, responses } = await callIt();
    expect(read).toMatchObject({ found: { distrusted: undefined } });
    expect("found" in read && read.found.notAfter).toBeGreaterThan(Date.now());
    const [first, second, ...more] = "found" in responses ? responses.found : [];
    expect(first).toContain('"allowed":true');
    expect([second, ...more]).toEqual([first]);
  });

  test("reports why the certificate is not trusted, and still sends the reviews", async () => {
    const { cert } = await certificate();
    const otherCa = await callIt({ ca: cert });
    expect(otherCa.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("SELF_SIGNED") } });
    expect(otherCa.responses).toHaveProperty("found");
    const otherName = await callIt({ servername: "arc-primer.primer.svc" });
    expect(otherName.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("ALTNAME") } });
  });

  test("reports a review that the webhook rejects", async () => {
    const { responses } = await callIt({ reviews: [{ path: "/mutate", review: {} }] });
    expect(responses).toEqual({ failed: expect.stringMatching(/^the request failed: HTTP status 4\d\d: /) });
  });
});

test("a webhook that accepts only the client certificate of the API server", async () => {
  const webhook = await testWebhook({ clientCA: (await certificate()).cert });
  const options = { servername: "localhost", ca: webhook.issued.cert, reviews: [review] };
  const called = await callWebhook(cluster, { url: `https://localhost:${webhook.port}` }, options);
  expect(called.responses).toHaveProperty("failed");
  await webhook.end();
});

describe("a call that fails", () => {
  const options = { servername: "localhost", ca: "", reviews: [] };

  test("because the port is closed", async () => {
    const why = { failed: expect.stringContaining("localhost:9 cannot be reached: ") };
    expect(await callWebhook(cluster, { url: "https://localhost:9" }, options)).toEqual({
      certificate: why,
      responses: why,
    });
  });

  test("because the connection is closed during the handshake", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as AddressInfo;
    const { certificate: read } = await callWebhook(cluster, { url: `https://localhost:${port}` }, options);
    expect(read).toEqual({ failed: expect.stringContaining("no TLS handshake: ") });
    server.close();
  });
});
