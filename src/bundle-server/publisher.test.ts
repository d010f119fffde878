import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundleTar, observers, temporaryFolder } from "../../test/support/bundles.ts";
import type { Bundle } from "../bundles/bundle.ts";
import { createDownloads, downloadLimits } from "./download.ts";
import { fetchBundle } from "./fetch.ts";
import { createPublisher } from "./publisher.ts";
import { openStore } from "./store.ts";

// Replicas that share an index. Each one serves its bundles over a real socket. A variable holds the index.

const [settings, others] = ["ab".repeat(32), "cd".repeat(32)];
const of = { profile: "default", image: "runner:1", architecture: "amd64" };
const now = Date.parse("2026-11-26T06:00:00Z");
let entry: Bundle | undefined;
let writes = 0;
let [directory, remove]: [string, () => void] = ["", () => undefined];
const servers: Server[] = [];

beforeEach(() => {
  ({ folder: directory, remove } = temporaryFolder());
  [entry, writes] = [undefined, 0];
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  remove();
});

async function replica(name: string) {
  const seen = observers();
  const store = await openStore({ directory: join(directory, name), limit: 3_000_000, clock: () => now });
  const server = createDownloads({ store, metrics: seen.metrics, limits: downloadLimits });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const wanted = { settings };
  const publish = createPublisher({
    index: {
      read: async () => entry,
      async write(bundle) {
        writes += 1;
        entry = bundle;
      },
    },
    store,
    fetch: async (from) => fetchBundle(from, new AbortController().signal),
    settings: () => wanted.settings,
    of,
    url,
    log: seen.log,
    metrics: seen.metrics,
  });
  const build = async (built: number, changes = name) =>
    store.add(Readable.from([bundleTar({ built, changes })]), settings, () => undefined);
  return {
    ...seen,
    store,
    publish,
    build,
    url,
    wanted,
    isPublished: async () => seen.metric("arc_primer_bundle_published"),
  };
}

test("a new bundle is published once", async () => {
  const one = await replica("one");
  await one.publish();
  expect([entry, writes]).toEqual([undefined, 0]);
  expect(await one.isPublished()).toBe(0);
  const { sha256, bytes } = await one.build(now);
  await one.publish();
  await one.publish();
  expect(entry).toEqual({
    ...of,
    sha256,
    url: `${one.url}/${sha256}.tar`,
    settings,
    built: "2026-11-26T06:00:00.000Z",
    bytes,
    packages: ["curl 7.88.1"],
  });
  expect(writes).toBe(1);
  expect(await one.isPublished()).toBe(1);
});

test("a new replica downloads the published bundle and does not build one", async () => {
  const [one, two] = [await replica("one"), await replica("two")];
  await one.build(now);
  await one.publish();
  const published = entry;
  await two.publish();
  expect(two.store.newest()).toMatchObject({ sha256: published?.sha256, settings, built: now });
  expect(two.store.find(published!.sha256)).toBeDefined();
  // In a cluster the replicas share the address of their Service. Here each replica has its own.
  expect(entry).toEqual({ ...published, url: `${two.url}/${published?.sha256}.tar` });
});

test("of two replicas, the one with the older bundle downloads the newer one", async () => {
  const [one, two] = [await replica("one"), await replica("two")];
  await one.build(now);
  const newer = await two.build(now + 60_000);
  await one.publish();
  await two.publish();
  await one.publish();
  expect(one.store.newest()?.sha256).toBe(newer.sha256);
  expect(entry?.sha256).toBe(newer.sha256);
});

test("an index entry whose bundle no replica has is replaced or removed", async () => {
  const one = await replica("one");
  const gone = { ...of, settings, built: new Date(now).toISOString(), bytes: 1, packages: [] };
  entry = { ...gone, sha256: "0".repeat(64), url: `${one.url}/${"0".repeat(64)}.tar` };
  await one.publish();
  expect(entry).toBeUndefined();
  expect(one.lines).toContainEqual(
    expect.objectContaining({
      level: "warn",
      reason: "the response status was 404",
      msg: "the published bundle cannot be downloaded",
    }),
  );
  entry = { ...gone, sha256: "0".repeat(64), url: `${one.url}/${"0".repeat(64)}.tar` };
  const mine = await one.build(now - 60_000);
  await one.publish();
  expect(entry?.sha256).toBe(mine.sha256);
});

test("a download with a different SHA-256 is not stored", async () => {
  const [one, two] = [await replica("one"), await replica("two")];
  const { sha256 } = await one.build(now);
  await one.publish();
  entry = { ...entry!, sha256: "0".repeat(64) }; // the URL is that of another bundle
  await two.publish();
  expect(two.store.newest()).toBeUndefined();
  expect(two.lines).toContainEqual(expect.objectContaining({ reason: `its SHA-256 is ${sha256}` }));
});

test("after a change of the settings the old bundle stays in the index, but does not count as published", async () => {
  const one = await replica("one");
  await one.build(now);
  await one.publish();
  one.wanted.settings = others;
  await one.publish();
  expect(entry?.settings).toBe(settings);
  expect(await one.isPublished()).toBe(0);
});
