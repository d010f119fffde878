import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { selfSigned } from "../certificate.ts";
import { clusterObjects } from "./cluster.ts";
import { connect } from "./connection.ts";
import { Conflict } from "./objects.ts";

// A server with configurable responses. test/cluster/tls.apiserver.test.ts uses a real API server.
const folder = mkdtempSync(join(tmpdir(), "arc-primer-kube-"));
const issued = await selfSigned(["localhost"], { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 6e6) });
const requests: { request: string; type?: string; authorization?: string; body: string }[] = [];
let answer: { status: number; body: unknown };
const server = createServer(issued, async (request, response) => {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { "content-type": type, authorization } = request.headers;
  requests.push({
    request: `${request.method} ${request.url}`,
    ...(type && { type }),
    authorization: authorization!,
    body,
  });
  response.statusCode = answer.status;
  response.end(JSON.stringify(answer.body));
});
const before = process.env["KUBECONFIG"];

function kubeconfig(url: string): void {
  const file = join(folder, "kubeconfig");
  const cluster = { server: url, "certificate-authority-data": Buffer.from(issued.cert).toString("base64") };
  const content = {
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: { token: "secret-token" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(file, JSON.stringify(content));
  process.env["KUBECONFIG"] = file;
}

const secret = { namespace: "arc-primer", name: "arc-primer-tls" };
const objects = async () => clusterObjects(await connect(), secret, "arc-primer");
const secretPath = "/api/v1/namespaces/arc-primer/secrets/arc-primer-tls";
const configurationPath = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer";
const base64 = (text: string) => Buffer.from(text).toString("base64");

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
});
beforeEach(() => {
  requests.length = 0;
  kubeconfig(`https://localhost:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  if (before === undefined) delete process.env["KUBECONFIG"];
  else process.env["KUBECONFIG"] = before;
  rmSync(folder, { recursive: true });
  server.close();
  server.closeAllConnections();
});

test("the Secret is decoded when read, and written as a patch with its resourceVersion", async () => {
  answer = { status: 200, body: { metadata: { resourceVersion: "7" }, data: { "ca.crt": base64("hello") } } };
  expect(await (await objects()).secret()).toEqual({ version: "7", content: { "ca.crt": "hello" } });
  await (await objects()).writeSecret("7", { "ca.key": "new" });
  expect(requests).toEqual([
    { request: `GET ${secretPath}`, authorization: "Bearer secret-token", body: "" },
    {
      request: `PATCH ${secretPath}?fieldManager=arc-primer`,
      type: "application/strategic-merge-patch+json",
      authorization: "Bearer secret-token",
      body: JSON.stringify({ metadata: { resourceVersion: "7" }, data: { "ca.key": base64("new") } }),
    },
  ]);
  answer = { status: 200, body: { metadata: { resourceVersion: "8" } } }; // as the chart creates it
  expect(await (await objects()).secret()).toEqual({ version: "8", content: {} });
});

test("in the webhook configuration, only the caBundle of its entries is patched, by entry name", async () => {
  const webhooks = [{ name: "a", clientConfig: { caBundle: base64("old"), url: "https://x" } }, { name: "b" }];
  answer = { status: 200, body: { metadata: { resourceVersion: "9" }, webhooks } };
  const read = { version: "9", content: [{ name: "a", caBundle: "old" }, { name: "b", caBundle: "" }] }; // prettier-ignore
  expect(await (await objects()).entries()).toEqual(read);
  await (await objects()).writeEntries("9", [{ name: "b", caBundle: "new" }]);
  expect(requests[1]).toMatchObject({
    request: `PATCH ${configurationPath}?fieldManager=arc-primer`,
    body: JSON.stringify({
      metadata: { resourceVersion: "9" },
      webhooks: [{ name: "b", clientConfig: { caBundle: base64("new") } }],
    }),
  });
  answer = { status: 200, body: { metadata: { resourceVersion: "9" } } };
  await expect((await objects()).entries()).rejects.toThrow("MutatingWebhookConfiguration arc-primer has no webhooks");
});

test.each([
  [403, /updating the Secret arc-primer\/arc-primer-tls: forbidden.* get and patch on secrets, resourceNames/],
  [404, /not found; it must exist already/],
  [500, /the API server answered 500: .*oops/],
])("a response %i gives a readable error", async (status, message) => {
  answer = { status, body: { message: "oops" } };
  await expect((await objects()).writeSecret("1", {})).rejects.toThrow(message);
});

test("a conflict is distinguished from other failures", async () => {
  answer = { status: 409, body: {} };
  await expect((await objects()).writeEntries("1", [])).rejects.toBeInstanceOf(Conflict);
});

test("an unreachable API server, or no cluster", async () => {
  kubeconfig("https://localhost:9");
  await expect((await objects()).secret()).rejects.toThrow(
    /reading the Secret .*: cannot reach the API server at https:\/\/localhost:9: connect ECONNREFUSED/,
  );
  kubeconfig("http://localhost:8080");
  await expect((await objects()).secret()).rejects.toThrow(/neither a KUBECONFIG nor a service account token/);
});

test("in a pod, the service account token is read again for each request", async () => {
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(folder, "ca.crt"), issued.cert);
  writeFileSync(join(folder, "token"), "first\n");
  const env = { KUBERNETES_SERVICE_HOST: "localhost", KUBERNETES_SERVICE_PORT: String(port) };
  const own = clusterObjects(await connect({ directory: folder, env }), secret, "arc-primer");
  answer = { status: 200, body: { metadata: { resourceVersion: "7" } } };
  await own.secret();
  writeFileSync(join(folder, "token"), "second\n");
  await own.secret();
  expect(requests.map(({ authorization }) => authorization)).toEqual(["Bearer first", "Bearer second"]);
  rmSync(join(folder, "token"));
  await expect(own.secret()).rejects.toThrow(/reading the Secret .*: no credentials for the API server: ENOENT.*token/);
});

test("an IPv6 address of the API server is put in brackets", async () => {
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  expect((await connect({ directory: folder, env })).server).toBe("https://[fd00::1]:443");
});
