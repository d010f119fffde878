import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundleTar, temporaryFolder } from "../../test/support/bundles.ts";
import { openStore } from "./store.ts";

let directory: string;
let remove: () => void;
let now = 0;
const clock = () => now;
const [minute, settings] = [60_000, "ab".repeat(32)];
const open = async (limit = 3_000_000) => openStore({ directory, limit, clock });
const accept = () => undefined;

beforeEach(() => {
  ({ folder: directory, remove } = temporaryFolder());
  now = Date.parse("2026-11-26T06:00:00Z");
});
afterEach(() => remove());

/** A bundle of about this size, built now. */
const bundle = (bytes = 20_000) => bundleTar({ built: now, changes: Buffer.alloc(bytes, String(now)) });
const stream = (content: Buffer) => Readable.from([content.subarray(0, 1000), content.subarray(1000)]);

test("a bundle is found by its SHA-256, and its bytes are not changed", async () => {
  const store = await open();
  const content = bundle();
  const taken = await store.add(stream(content), settings, accept);
  expect(taken).toMatchObject({ settings, built: now, architecture: "amd64", bytes: content.length });
  expect(taken.sha256).toBe(createHash("sha256").update(content).digest("hex"));
  expect(store.find(taken.sha256)).toEqual(taken);
  expect(store.newest()).toEqual(taken);
  expect(readFileSync(taken.path)).toEqual(content);
  expect(store.find("0".repeat(64))).toBeUndefined();
});

test("a bundle that is too large, invalid, interrupted or rejected leaves no file", async () => {
  const store = await open();
  const kept = await store.add(stream(bundle()), settings, accept);
  const broken = new Readable({ read: () => undefined });
  const attempt = store.add(broken, settings, accept);
  broken.push(bundle().subarray(0, 5000));
  broken.destroy(new Error("the connection broke"));
  await expect(attempt).rejects.toThrow("the connection broke");
  await expect(store.add(stream(bundle(1_100_000)), settings, accept)).rejects.toThrow(/larger than 1000000 bytes/);
  await expect(store.add(stream(Buffer.alloc(4096, "x")), settings, accept)).rejects.toThrow("not a tar archive");
  const reject = () => {
    throw new Error("not wanted");
  };
  await expect(store.add(stream(bundle()), settings, reject)).rejects.toThrow("not wanted");
  expect(readdirSync(directory)).toEqual([`${kept.sha256}-${settings}.tar`]);
});

test("the last two bundles are always kept, others for an hour after they were replaced", async () => {
  const store = await open();
  const digests: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    now += 10 * minute;
    digests.push((await store.add(stream(bundle()), settings, accept)).sha256);
  }
  const stored = () => digests.map((sha256) => store.find(sha256) !== undefined);
  expect(stored()).toEqual([true, true, true, true]);
  now += 45 * minute; // the first was replaced 65 minutes ago, the second 55
  digests.push((await store.add(stream(bundle()), settings, accept)).sha256);
  expect(stored()).toEqual([false, true, true, true, true]);
  now += 1000 * minute;
  digests.push((await store.add(stream(bundle()), settings, accept)).sha256);
  expect(stored()).toEqual([false, false, false, false, true, true]);
  expect(readdirSync(directory)).toHaveLength(2);
});

test("within the hour, bundles are kept only if there is space for one more", async () => {
  const store = await open(300_000);
  for (let count = 0; count < 6; count += 1) {
    now += minute;
    await store.add(stream(bundle(60_000)), settings, accept);
  }
  expect(store.bytes()).toBeLessThan(200_000);
  expect(readdirSync(directory)).toHaveLength(2); // 71,680 bytes each; three would leave no space for another
});

test("the newest bundle is the one that was built last, not the one that was stored last", async () => {
  const store = await open();
  const older = bundle();
  now += minute;
  const { sha256 } = await store.add(stream(bundle()), settings, accept);
  await store.add(stream(older), settings, accept);
  expect(store.newest()?.sha256).toBe(sha256);
});

test("after a restart the store has its bundles, and incomplete files are removed", async () => {
  const { sha256 } = await (await open()).add(stream(bundle()), settings, accept);
  now += minute;
  const second = await (await open()).add(stream(bundle()), settings, accept);
  writeFileSync(join(directory, "3.partial"), "x");
  writeFileSync(join(directory, `${"0".repeat(64)}-${settings}.tar`), "not a bundle");
  const store = await open();
  expect(store.newest()).toEqual(second);
  expect(store.find(sha256)).toMatchObject({ sha256, settings });
  expect(readdirSync(directory)).toHaveLength(2);
});
