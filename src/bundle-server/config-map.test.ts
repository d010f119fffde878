import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { observers } from "../../test/support/bundles.ts";
import { indexEntry } from "../bundles/index-entry.ts";
import { selfSigned } from "../tls/certificate.ts";
import { configMapIndex } from "./config-map.ts";

// An HTTPS server with fixed responses acts as the API server. test/cluster/package-bundles.machine.test.ts uses a real one.

const issued = await selfSigned(["localhost"], { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 6e6) });
const requests: string[] = [];
let answer: { status: number; body: unknown };
const server = createServer(issued, async (request, response) => {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const { authorization, "content-type": type = "" } = request.headers;
  requests.push([request.method, request.url, authorization, type, body].join(" "));
  response.statusCode = answer.status;
  response.end(JSON.stringify(answer.body));
});
beforeAll(async () => new Promise<void>((resolve) => server.listen(0, "localhost", resolve)));
beforeEach(() => void (requests.length = 0));
afterAll(() => server.close().closeAllConnections());

const key = { namespace: "primer-system", name: "arc-primer-bundles", key: "arc-primer-bundle-default" };
const sha256 = "ab".repeat(32);
const bundle = {
  profile: "default",
  image: "runner:1",
  architecture: "amd64",
  sha256,
  url: `http://a:8081/${sha256}.tar`,
  settings: "cd".repeat(32),
  built: "2026-11-26T06:00:00.000Z",
  bytes: 1,
  packages: [],
};
const { log, lines } = observers();
const index = () => {
  const headers = { authorization: "Bearer token" };
  const credentials = async () => ({ ca: issued.cert, headers });
  return configMapIndex(
    { server: `https://localhost:${(server.address() as AddressInfo).port}`, credentials },
    key,
    log,
  );
};
const path = "/api/v1/namespaces/primer-system/configmaps/arc-primer-bundles";

test("it reads only its own key", async () => {
  answer = { status: 200, body: {} }; // as the chart creates it
  expect(await index().read()).toBeUndefined();
  answer = { status: 200, body: { data: { [key.key]: indexEntry(bundle), other: "{" } } };
  expect(await index().read()).toEqual(bundle);
  expect(requests[0]).toBe(`GET ${path} Bearer token  `);
});

test("an invalid entry is ignored, and the log has the reason", async () => {
  answer = { status: 200, body: { data: { [key.key]: "{" } } };
  expect(await index().read()).toBeUndefined();
  expect(lines.at(-1)).toMatchObject({ level: "warn", key: key.key, problem: expect.stringContaining("entry") });
});

test("it writes and removes only its own key, with a merge patch", async () => {
  answer = { status: 200, body: {} };
  await index().write(bundle);
  await index().write(undefined);
  const patch = `PATCH ${path}?fieldManager=arc-primer Bearer token application/merge-patch+json`;
  expect(requests).toEqual([
    `${patch} ${JSON.stringify({ data: { [key.key]: indexEntry(bundle) } })}`,
    `${patch} ${JSON.stringify({ data: { [key.key]: null } })}`,
  ]);
});

test("a missing permission is named", async () => {
  answer = { status: 403, body: {} };
  await expect(index().write(bundle)).rejects.toThrow(
    "updating the ConfigMap primer-system/arc-primer-bundles: forbidden; required permission: a Role in primer-system, with get and patch on configmaps, resourceNames [arc-primer-bundles]",
  );
});
