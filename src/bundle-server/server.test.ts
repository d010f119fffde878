import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bundleTar, handOver, observers, temporaryFolder } from "../../test/support/bundles.ts";
import type { Bundle } from "../bundles/bundle.ts";
import { createHandover } from "./handover.ts";
import { startBundleServer } from "./server.ts";
import type { BundleServer } from "./server.ts";
import { openStore } from "./store.ts";

// The complete server, with real directories and sockets. The tests act as the builder and as the index.

const settings = "ab".repeat(32);
let [directory, remove]: [string, () => void] = ["", () => undefined];
let entry: Bundle | undefined;
let isIndexDown = false;
const running: BundleServer[] = [];

beforeEach(() => {
  ({ folder: directory, remove } = temporaryFolder());
  entry = undefined;
});
afterEach(async () => {
  isIndexDown = false;
  await Promise.all(running.splice(0).map(async (one) => one.stop(0)));
  remove();
});

const index = {
  async read() {
    if (isIndexDown) throw new Error("the API server does not respond");
    return entry;
  },
  async write(bundle: Bundle | undefined) {
    if (isIndexDown) throw new Error("the API server does not respond");
    entry = bundle;
  },
};

/** Starts a bundle server. `url` is the address of its Service. */
async function start(name: string, url = "http://localhost:1") {
  const seen = observers();
  const store = await openStore({ directory: join(directory, name, "store"), limit: 3_000_000, clock: Date.now });
  const handover = join(directory, name, "handover");
  const server = await startBundleServer({
    handover: createHandover(handover, { builder: "", installer: "" }),
    store,
    wanted: () => ({ words: ["--", "curl"], settings }),
    of: { profile: "default", image: "runner:1", architecture: "amd64" },
    architecture: "amd64",
    interval: 86_400_000,
    deadline: 60_000,
    index,
    url,
    port: 0,
    opsPort: 0,
    polling: { builder: 20, index: 100 },
    clock: Date.now,
    log: seen.log,
    metrics: seen.metrics,
  });
  running.push(server);
  const ops = async (path: string) => fetch(`http://localhost:${server.opsPort}${path}`);
  return {
    ...seen,
    ...server,
    store,
    handover,
    ops,
    bundle: (sha256: string) => `http://localhost:${server.port}/${sha256}.tar`,
  };
}

const planned = async (handover: string) =>
  vi.waitFor(() => expect(existsSync(join(handover, "plan/build"))).toBe(true), 5000);
const published = async (previous?: string) =>
  vi.waitFor(() => {
    if (!entry || entry.sha256 === previous) throw new Error("not published");
    return entry;
  }, 5000);

test("a bundle is planned, built, published and served; then the server is ready", async () => {
  const { handover, ops, bundle, metric } = await start("one");
  expect((await ops("/healthz")).status).toBe(200);
  expect(await (await ops("/readyz")).text()).toBe("no bundle yet: the first one is being built\n");
  await planned(handover);
  expect(statSync(join(handover, "done")).mode & 0o777).toBe(0o777); // the builder is another user
  const content = bundleTar();
  handOver(handover, { tar: content });
  const { sha256, profile } = await published();
  expect(profile).toBe("default");
  const response = await fetch(bundle(sha256));
  expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
  expect((await ops("/readyz")).status).toBe(200);
  expect((await ops("/other")).status).toBe(404);
  expect(await (await ops("/metrics")).text()).toMatch(
    /^arc_primer_bundle_interval_seconds\{profile="default",image="runner:1",architecture="amd64"\} 86400$/m,
  );
  await vi.waitFor(async () => expect(await metric("arc_primer_bundle_published")).toBe(1), 5000);
  expect(await metric("arc_primer_bundle_built_timestamp_seconds")).toBeCloseTo(Date.now() / 1000, -2);
});

test("after a failed build the last bundle is still served", async () => {
  const { handover, bundle, store } = await start("one");
  await planned(handover);
  handOver(handover, { tar: bundleTar() });
  const { sha256 } = await published();
  await vi.waitFor(() => expect(existsSync(join(handover, "plan/build"))).toBe(false));
  handOver(handover, { failed: "x" }, "1"); // the number is not that of a planned build
  expect((await fetch(bundle(sha256))).status).toBe(200);
  expect(store.newest()?.sha256).toBe(sha256);
});

test("a new replica downloads the published bundle from the old one, and is ready without a build", async () => {
  const one = await start("one");
  await planned(one.handover);
  handOver(one.handover, { tar: bundleTar() });
  const { sha256 } = await published();
  entry = { ...entry!, url: one.bundle(sha256) };
  const two = await start("two");
  await vi.waitFor(async () => expect((await two.ops("/readyz")).status).toBe(200), 5000);
  expect((await fetch(two.bundle(sha256))).status).toBe(200);
  expect(existsSync(join(two.handover, "plan/build"))).toBe(false);
});

test("while the API server is down, bundles are served, and the error is logged once", async () => {
  isIndexDown = true;
  const { handover, bundle, store, lines } = await start("one");
  await planned(handover);
  handOver(handover, { tar: bundleTar() });
  await vi.waitFor(() => expect(store.newest()).toBeDefined(), 5000);
  expect((await fetch(bundle(store.newest()!.sha256))).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(lines.filter(({ reason }) => reason === "the API server does not respond")).toHaveLength(1);
  isIndexDown = false;
  await published();
});
