import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { admissionReview, post } from "../src/cli/admission-client.ts";
import { createCA } from "../src/tls/certificate.ts";
import { clientCertificate } from "./support/client-certificate.ts";
import { goldenPod } from "./support/pods.ts";
import { testWebhook } from "./support/webhook.ts";

// Tests `serve --tls-client-ca-file`.

const hour = 3_600_000;
const valid = { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) };
const [ca, other] = [await createCA(valid), await createCA(valid)];
const review = JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners"));

const rejection = /certificate|ECONNRESET|alert|hang up/i;

let webhook: Awaited<ReturnType<typeof testWebhook>>;
beforeAll(async () => {
  webhook = await testWebhook({ clientCA: ca.cert });
});
afterAll(() => webhook.end());

const ask = async (client: object) =>
  (await post(webhook.port, webhook.agent({ keepAlive: false, ...client }), review)).status;

test("a client with a certificate signed by the CA is accepted", async () => {
  expect(await ask(await clientCertificate(ca))).toBe(200);
});

test.each<[string, () => Promise<object>]>([
  ["without a certificate", async () => ({})],
  ["with another CA's certificate", () => clientCertificate(other)],
])("a client %s is rejected", async (_what, client) => {
  await expect(ask(await client())).rejects.toThrow(rejection);
});

test("health and metrics require no certificate", async () => {
  expect((await webhook.ops("/healthz")).status).toBe(200);
});

test("replacing the serving certificate does not affect clients", async () => {
  await webhook.write(webhook.issued);
  await expect(ask({})).rejects.toThrow(rejection);
});

test("a changed CA is used, and an unreadable one is rejected", async () => {
  await webhook.writeClientCA("nonsense");
  await vi.waitFor(() => expect(JSON.stringify(webhook.lines)).toContain("invalid client CA rejected"));
  expect(await ask(await clientCertificate(ca))).toBe(200);
  await webhook.writeClientCA(other.cert);
  const client = await clientCertificate(other);
  await vi.waitFor(async () => expect(await ask(client)).toBe(200), 3000);
  await expect(ask(await clientCertificate(ca))).rejects.toThrow(rejection);
});

test("the webhook does not start without a readable CA", async () => {
  await expect(testWebhook({ clientCA: "nonsense" })).rejects.toThrow("contains no usable client CA");
});
