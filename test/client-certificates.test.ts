import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { admissionReview, post } from "../src/cli/admission-client.ts";
import { createCA } from "../src/tls/certificate.ts";
import { clientCertificate } from "./support/client-certificate.ts";
import { goldenPod } from "./support/pods.ts";
import { testWebhook } from "./support/webhook.ts";

// serve --tls-client-ca-file

const hour = 3_600_000;
const valid = { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) };
const [authority, other] = [await createCA(valid), await createCA(valid)];
const review = JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners"));

const refusal = /certificate|ECONNRESET|alert|hang up/i;

let webhook: Awaited<ReturnType<typeof testWebhook>>;
beforeAll(async () => {
  webhook = await testWebhook({ clientCA: authority.cert });
});
afterAll(() => webhook.end());

const ask = async (client: object) =>
  (await post(webhook.port, webhook.agent({ keepAlive: false, ...client }), review)).status;

test("a client with a certificate of the CA is answered", async () => {
  expect(await ask(await clientCertificate(authority))).toBe(200);
});

test.each<[string, () => Promise<object>]>([
  ["without a certificate", async () => ({})],
  ["with another CA's certificate", () => clientCertificate(other)],
])("a client %s is not", async (_what, client) => {
  await expect(ask(await client())).rejects.toThrow(refusal);
});

test("health and metrics ask for no certificate", async () => {
  expect((await webhook.ops("/healthz")).status).toBe(200);
});

test("a serving certificate that is swapped changes nothing about clients", async () => {
  await webhook.write(webhook.issued);
  await expect(ask({})).rejects.toThrow(refusal);
});

test("a changed CA is followed, and one that cannot be read is not", async () => {
  await webhook.writeClientCA("nonsense");
  await vi.waitFor(() => expect(JSON.stringify(webhook.lines)).toContain("CA for clients refused"));
  expect(await ask(await clientCertificate(authority))).toBe(200);
  await webhook.writeClientCA(other.cert);
  const client = await clientCertificate(other);
  await vi.waitFor(async () => expect(await ask(client)).toBe(200), 3000);
  await expect(ask(await clientCertificate(authority))).rejects.toThrow(refusal);
});

test("without a CA at the start there is no webhook", async () => {
  await expect(testWebhook({ clientCA: "nonsense" })).rejects.toThrow("holds no CA for clients");
});
