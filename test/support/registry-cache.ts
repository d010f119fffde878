import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KeyPair } from "../../src/tls/certificate.ts";
import { render } from "./helm.ts";
import type { Manifest, Values } from "./helm.ts";
import { freePorts } from "./ports.ts";
import { findTool } from "./tools.ts";

// Runs the chart's cache as a process on loopback: the real registry 3, with its image's settings overridden by the chart's.

const imageSettings = fileURLToPath(new URL("../cluster/images/registry/config.yml", import.meta.url));

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** An upstream with one layer in every repository, which counts how often each path is fetched. */
export async function startUpstream(layer: Buffer) {
  const config = Buffer.from("{}");
  const type = "application/vnd.oci.image.manifest.v1+json";
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: describe("application/vnd.oci.image.config.v1+json", config),
      layers: [describe("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
    }),
  );
  const contents = new Map([layer, config, manifest].map((bytes) => [digestOf(bytes), bytes]));
  const fetched: string[] = [];
  const server = http.createServer(({ method, url = "" }, response) => {
    const [, kind, name = ""] = /\/(blobs|manifests)\/([^/]+)$/.exec(url) ?? [];
    const bytes = kind === "manifests" && name === "1" ? manifest : contents.get(name);
    if (!kind) return response.end();
    if (!bytes) return response.writeHead(404).end();
    if (method === "GET") fetched.push(url);
    response.writeHead(200, {
      "content-type": kind === "manifests" ? type : "application/octet-stream",
      "content-length": bytes.length,
      "docker-content-digest": digestOf(bytes),
    });
    return method === "HEAD" ? response.end() : response.end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: digestOf(layer),
    /** How often the layer was fetched. */
    fetches: () => fetched.filter((url) => url.endsWith(digestOf(layer))).length,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Starts a cache of `upstream` with the chart's settings, except for addresses and the directory.
 *
 * @param ttl as `registryCache.ttl`
 * @param options.overriding environment variables that override the chart's
 * @param options.certificate the content of the Secret of `registryCache.tls`; without it, the cache uses plain HTTP
 */
export async function startCache(
  upstream: string,
  ttl: string,
  { overriding, certificate }: { overriding?: Record<string, string>; certificate?: KeyPair } = {},
) {
  const upstreams = { "docker.io": { url: upstream } };
  const tls = certificate ? { secretName: "caches" } : {};
  const registryCache: Values = { enabled: true, upstreams, ttl, tls };
  const chart: Manifest[] = render({ registryCache }).one("StatefulSet").spec.template.spec.containers[0].env;
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-cache-"));
  for (const [file, text] of Object.entries({ "tls.crt": certificate?.cert, "tls.key": certificate?.key }))
    if (text !== undefined) writeFileSync(join(folder, file), text);
  const inFolder = (value: string) => value.replace(/^\/tls\//, `${folder}/`);
  const env = {
    ...Object.fromEntries(chart.map(({ name, value }) => [name as string, inFolder(value as string)])),
    REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
    REGISTRY_HTTP_DEBUG_ADDR: `127.0.0.1:${metricsPort}`,
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: folder,
    REGISTRY_LOG_LEVEL: "error",
    ...overriding,
  };
  const url = `${certificate ? "https" : "http"}://127.0.0.1:${port}`;
  const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
  const { request } = certificate ? https : http;
  const getPath = async (path: string) => {
    const sent = request(`${url}${path}`, { headers, ca: certificate?.cert, agent: false }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const read = buffer(response).then((body) => body.length);
    return { status: response.statusCode ?? 0, bytes: await read.catch(String) };
  };
  let child: ChildProcess;

  const start = async () => {
    child = spawn(findTool("registry")!, ["serve", imageSettings], { env, stdio: ["ignore", "ignore", "inherit"] });
    for (let tries = 0; ; tries += 1) {
      if (await getPath("/").catch(() => undefined)) return;
      if (tries > 100 || child.exitCode !== null) throw new Error("the registry does not start; see its output above");
      await sleep(100);
    }
  };
  const end = async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  };
  await start();
  return {
    url,
    /** Sends a GET for this path below /v2. Returns the status and the number of bytes, or the error while reading. */
    get: async (path: string): Promise<{ status: number; bytes: number | string }> => getPath(`/v2/${path}`),
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    restart: async () => {
      await end();
      await start();
    },
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}
