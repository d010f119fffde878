import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import { certificate, testWebhook } from "../../test/support/webhook.ts";
import { admissionReview } from "./admission-review.ts";
import type { Cluster } from "./connect.ts";
import { converse } from "./converse.ts";

// Calls the real webhook in this process at its URL. test/cluster/doctor.apiserver.test.ts calls it through the API server.

const cluster = {} as Cluster; // not used for a URL
const question = { path: "/mutate", review: admissionReview(goldenPod("dind-sidecar"), "ci", { dryRun: true }) };

describe("a call to a webhook", () => {
  let webhook: Awaited<ReturnType<typeof testWebhook>>;
  beforeAll(async () => {
    webhook = await testWebhook();
  });
  afterAll(async () => webhook.end());

  const callIt = async (changes: { servername?: string; ca?: string; questions?: (typeof question)[] } = {}) =>
    converse(
      cluster,
      { url: `https://localhost:${webhook.port}/mutate` },
      { servername: "localhost", ca: webhook.issued.cert, questions: [question, question], ...changes },
    );

  test("returns its certificate and a response to each review", async () => {
    const { certificate: read, answers } = await callIt();
    expect(read).toMatchObject({ found: { distrusted: undefined } });
    expect("found" in read && read.found.notAfter).toBeGreaterThan(Date.now());
    const [first, second, ...more] = "found" in answers ? answers.found : [];
    expect(first).toContain('"allowed":true');
    expect([second, ...more]).toEqual([first]);
  });

  test("reports why the certificate is not trusted, and still sends the reviews", async () => {
    const { cert } = await certificate();
    const otherCa = await callIt({ ca: cert });
    expect(otherCa.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("SELF_SIGNED") } });
    expect(otherCa.answers).toHaveProperty("found");
    const otherName = await callIt({ servername: "arc-primer.primer.svc" });
    expect(otherName.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("ALTNAME") } });
  });

  test("reports a review that the webhook rejects", async () => {
    const { answers } = await callIt({ questions: [{ path: "/mutate", review: {} }] });
    expect(answers).toEqual({ failed: expect.stringMatching(/^the request failed: HTTP status 4\d\d: /) });
  });
});

test("a webhook that accepts only the client certificate of the API server", async () => {
  const webhook = await testWebhook({ clientCA: (await certificate()).cert });
  const options = { servername: "localhost", ca: webhook.issued.cert, questions: [question] };
  const said = await converse(cluster, { url: `https://localhost:${webhook.port}` }, options);
  expect(said.answers).toHaveProperty("failed");
  await webhook.end();
});

describe("a call that fails", () => {
  const options = { servername: "localhost", ca: "", questions: [] };

  test("because the port is closed", async () => {
    const why = { failed: expect.stringContaining("localhost:9 cannot be reached: ") };
    expect(await converse(cluster, { url: "https://localhost:9" }, options)).toEqual({
      certificate: why,
      answers: why,
    });
  });

  test("because the connection is closed during the handshake", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as AddressInfo;
    const { certificate: read } = await converse(cluster, { url: `https://localhost:${port}` }, options);
    expect(read).toEqual({ failed: expect.stringContaining("no TLS handshake: ") });
    server.close();
  });
});
