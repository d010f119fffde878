import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseIndexEntry } from "../src/bundles/index-entry.ts";
import { scripts } from "../src/scripts/index.ts";
import { selfSigned } from "../src/tls/certificate.ts";
import { bundleTar, handOver, temporaryFolder } from "./support/bundles.ts";
import { freePorts } from "./support/ports.ts";

// Runs the bundle server of the built program as a process, with an HTTPS server that stores the ConfigMap. The tests act
// as the builder.

const program = fileURLToPath(new URL("../dist/arc-primer.mjs", import.meta.url));
const { folder, remove } = temporaryFolder();
const handover = join(folder, "handover");
const configFile = join(folder, "config.yaml");
const key = "arc-primer-bundle-default-1f";
const data: Record<string, string | null> = {};
const issued = await selfSigned(["localhost"], { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 6e6) });
const api = createServer(issued, async (request, response) => {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  if (request.method === "PATCH") Object.assign(data, (JSON.parse(body) as { data: typeof data }).data);
  response.end(JSON.stringify({ data }));
});
let child: ChildProcess;
let log = "";
let [port, opsPort] = [0, 0];

function configure(packages: string[]): void {
  const profiles = { default: { prerequisites: { packages } } };
  const config = { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", profiles };
  writeFileSync(`${configFile}.new`, JSON.stringify(config));
  renameSync(`${configFile}.new`, configFile);
}

function start(...more: string[]): ChildProcess {
  const options = {
    config: configFile,
    profile: "default",
    image: "runner:1",
    architecture: "amd64",
    handover,
    store: join(folder, "store"),
    "size-limit": "64Mi",
    index: `primer-system/arc-primer-bundles/${key}`,
    url: `http://localhost:${port}`,
    port,
    "ops-port": opsPort,
    "watch-interval": "50ms",
    "index-interval": "200ms",
    "shutdown-delay": "500ms",
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const env = { PATH: process.env["PATH"] ?? "", KUBECONFIG: join(folder, "kubeconfig") };
  const started = spawn(process.execPath, [program, "bundle-server", ...args, ...more], { env });
  started.stdout.on("data", (text: Buffer) => (log += text.toString()));
  started.stderr.on("data", (text: Buffer) => (log += text.toString()));
  return started;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => api.listen(0, "localhost", resolve));
  [port = 0, opsPort = 0] = await freePorts(2);
  const server = `https://localhost:${(api.address() as AddressInfo).port}`;
  const cluster = { server, "certificate-authority-data": Buffer.from(issued.cert).toString("base64") };
  const kubeconfig = {
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
  mkdirSync(handover);
  configure(["curl"]);
  child = start();
});
afterAll(() => {
  child.kill("SIGKILL");
  api.close().closeAllConnections();
  remove();
});

const planned = async () => vi.waitFor(() => expect(existsSync(join(handover, "plan/build"))).toBe(true), 10_000);
const plannedArgs = () => readFileSync(join(handover, "plan/settings"), "utf8").split("\0");
const entry = () => {
  const found = parseIndexEntry(data[key] ?? "");
  if ("problem" in found) throw new Error(found.problem);
  return found;
};
const ops = async (path: string) => fetch(`http://localhost:${opsPort}${path}`);

test("it plans what pods would install, with the program's own scripts", async () => {
  await planned();
  expect(plannedArgs().slice(-3)).toEqual(["--", "curl", ""]);
  expect(readFileSync(join(handover, "plan/script"), "utf8")).toBe(scripts["install-packages.sh"]);
  expect(readFileSync(join(handover, "plan/builder"), "utf8")).toBe(scripts["build-bundle.sh"]);
  expect((await ops("/readyz")).status).toBe(503);
});

test("it publishes and serves the bundle that was built, and becomes ready", async () => {
  handOver(handover, { tar: bundleTar() });
  await vi.waitFor(() => expect(entry().packages).toEqual(["curl 7.88.1"]), 10_000);
  expect((await fetch(entry().url)).status).toBe(200);
  expect((await ops("/readyz")).status).toBe(200);
  expect(await (await ops("/metrics")).text()).toContain("process_resident_memory_bytes{");
});

test("a changed configuration is planned without a restart, but an invalid one is not", async () => {
  const first = entry();
  await vi.waitFor(() => expect(existsSync(join(handover, "plan/build"))).toBe(false), 5000);
  configure(["curl", "git"]);
  await planned();
  expect(plannedArgs().slice(-4)).toEqual(["--", "curl", "git", ""]);
  const later = Date.now() + 2000; // a bundle's time is in seconds
  handOver(handover, { tar: bundleTar({ packages: ["git 2.39"], built: later }) });
  await vi.waitFor(() => expect(entry().packages).toEqual(["git 2.39"]), 10_000);
  expect(entry().settings).not.toBe(first.settings);
  expect((await fetch(first.url)).status).toBe(200); // pods that were admitted with it still start
  configure(["Curl"]);
  await vi.waitFor(() => expect(log).toContain("invalid configuration rejected"), 5000);
  expect((await fetch(entry().url)).status).toBe(200);
});

test("after a restart of its container, it serves its bundles again, even with an invalid configuration", async () => {
  const { sha256, url } = entry();
  child.kill("SIGKILL");
  child = start();
  await vi.waitFor(async () => expect((await ops("/readyz")).status).toBe(200), 10_000);
  expect((await fetch(url)).status).toBe(200);
  expect(entry().sha256).toBe(sha256);
  configure(["curl", "git"]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(existsSync(join(handover, "plan/build"))).toBe(false); // the bundle already exists
});

test("on SIGTERM, it serves for a short time and then exits", async () => {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  expect((await fetch(entry().url)).status).toBe(200);
  expect(await exit).toBe(0);
  expect(log).toContain('"msg":"stopped"');
});

test.each([
  ["--index=a/b", /expected NAMESPACE\/NAME\/KEY/],
  ["--size-limit=1Mi", /at least 64Mi/],
  ["--interval=daily", /expected a duration/],
])("%s is rejected with exit code 2", async (option, message) => {
  log = "";
  const exit = await new Promise((resolve) => start(option).once("close", resolve));
  expect(exit).toBe(2);
  expect(log).toMatch(message);
});
