import { createServer } from "node:http";
import type { Server } from "node:http";
import type { BundleMetrics } from "./metrics.ts";

/** The operators' port: `/healthz`, `/readyz`, `/metrics`. Express is not used: it is as large as the rest of this process. */
export function createOps(parts: { metrics: BundleMetrics; notReady: () => string | undefined }): Server {
  const { metrics, notReady } = parts;
  const plain = "text/plain; charset=utf-8";
  const routes: Record<string, () => Promise<[status: number, type: string, text: string]>> = {
    "/healthz": async () => [200, plain, "ok\n"],
    "/readyz": async () => {
      const reason = notReady();
      return [reason ? 503 : 200, plain, `${reason ?? "ok"}\n`];
    },
    "/metrics": async () => {
      const { text, contentType } = await metrics.expose();
      return [200, contentType, text];
    },
  };
  const missing = async (): Promise<[number, string, string]> => [
    404,
    plain,
    "not found; the paths are /healthz, /readyz and /metrics\n",
  ];
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, async (request, response) => {
    request.resume();
    const [status, type, text] = await (routes[request.url ?? ""] ?? missing)();
    response.writeHead(status, { "content-type": type }).end(text);
  });
  server.maxConnections = 64;
  server.timeout = 60_000;
  return server;
}
