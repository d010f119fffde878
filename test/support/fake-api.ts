import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The API server's responses, by path without the query: an object, or the status code of an error. */
export type Objects = Readonly<Record<string, object | number>>;

/** A minimal API server over plain HTTP, for code that reads a cluster. test/cluster has tests with the real one. */
export async function fakeApi(
  objects: () => Objects,
): Promise<{ kubeconfig: string; requests: string[]; stop(): void }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(`${request.method} ${path}`);
    const known: Objects = { "/version": { major: "1", minor: "37", gitVersion: "v1.37.2" }, ...objects() };
    const found: object | number = known[path.replace(/\?.*/, "")] ?? 404;
    const status = typeof found === "number" ? found : 200;
    const error = { kind: "Status", message: `${status === 404 ? "not found" : "refused"}: ${path}` };
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(typeof found === "number" ? error : found));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-api-"));
  const kubeconfig = join(folder, "kubeconfig");
  const address = `http://localhost:${(server.address() as AddressInfo).port}`;
  const content = {
    clusters: [{ name: "c", cluster: { server: address, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "arc-runners" } }],
    "current-context": "x",
  };
  writeFileSync(kubeconfig, JSON.stringify(content));
  return {
    kubeconfig,
    requests,
    stop() {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A list of objects, as the API server returns it. */
export function listOf(kind: string, ...items: object[]): object {
  return { apiVersion: "v1", kind: `${kind}List`, metadata: {}, items };
}
