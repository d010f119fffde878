import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import { certificate, testWebhook } from "../../test/support/webhook.ts";
import { admissionReview } from "./admission-review.ts";
import type { Cluster } from "./connect.ts";
import { converse } from "./converse.ts";

// The real webhook in this process, dialled at its address. Through the API server: test/cluster/doctor.apiserver.test.ts.

const cluster = {} as Cluster; // an address is dialled without it
const question = { path: "/mutate", review: admissionReview(goldenPod("dind-sidecar"), "ci", { dryRun: true }) };

describe("a conversation with a webhook", () => {
  let webhook: Awaited<ReturnType<typeof testWebhook>>;
  beforeAll(async () => {
    webhook = await testWebhook();
  });
  afterAll(async () => webhook.end());

  const talk = async (changes: { servername?: string; ca?: string; questions?: (typeof question)[] } = {}) =>
    converse(
      cluster,
      { url: `https://localhost:${webhook.port}/mutate` },
      { servername: "localhost", ca: webhook.issued.cert, questions: [question, question], ...changes },
    );

  test("has its certificate, and an answer to each review", async () => {
    const { certificate: read, answers } = await talk();
    expect(read).toMatchObject({ found: { distrusted: undefined } });
    expect("found" in read && read.found.notAfter).toBeGreaterThan(Date.now());
    const [first, second, ...more] = "found" in answers ? answers.found : [];
    expect(first).toContain('"allowed":true');
    expect([second, ...more]).toEqual([first]);
  });

  test("says why the certificate is not trusted, and goes on", async () => {
    const { cert } = await certificate();
    const otherCa = await talk({ ca: cert });
    expect(otherCa.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("SELF_SIGNED") } });
    expect(otherCa.answers).toHaveProperty("found");
    const otherName = await talk({ servername: "arc-primer.primer.svc" });
    expect(otherName.certificate).toMatchObject({ found: { distrusted: expect.stringContaining("ALTNAME") } });
  });

  test("says what was wrong with a review", async () => {
    const { answers } = await talk({ questions: [{ path: "/mutate", review: {} }] });
    expect(answers).toEqual({ failed: expect.stringMatching(/^it did not answer: HTTP status 4\d\d: /) });
  });
});

test("a webhook that answers the API server alone", async () => {
  const webhook = await testWebhook({ clientCA: (await certificate()).cert });
  const options = { servername: "localhost", ca: webhook.issued.cert, questions: [question] };
  const said = await converse(cluster, { url: `https://localhost:${webhook.port}` }, options);
  expect(said.answers).toHaveProperty("failed");
  await webhook.end();
});

describe("no conversation", () => {
  const options = { servername: "localhost", ca: "", questions: [] };

  test("where nobody listens", async () => {
    const why = { failed: expect.stringContaining("localhost:9 cannot be reached: ") };
    expect(await converse(cluster, { url: "https://localhost:9" }, options)).toEqual({
      certificate: why,
      answers: why,
    });
  });

  test("where somebody hangs up", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as AddressInfo;
    const { certificate: read } = await converse(cluster, { url: `https://localhost:${port}` }, options);
    expect(read).toEqual({ failed: expect.stringContaining("no TLS handshake: ") });
    server.close();
  });
});
