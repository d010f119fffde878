import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundleTar, temporaryFolder } from "../../test/support/bundles.ts";
import { openStore } from "./store.ts";

let folder: string;
let remove: () => void;
let now = 0;
const clock = () => now;
const [minute, settings] = [60_000, "ab".repeat(32)];
const open = async (limit = 3_000_000) => openStore({ folder, limit, clock });
const accept = () => undefined;

beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  now = Date.parse("2026-11-26T06:00:00Z");
});
afterEach(() => remove());

/** A bundle of about this size, built now. */
const bundle = (bytes = 20_000) => bundleTar({ built: now, changes: Buffer.alloc(bytes, String(now)) });
const stream = (content: Buffer) => Readable.from([content.subarray(0, 1000), content.subarray(1000)]);

test("a bundle is found by its SHA-256, as the bytes that came", async () => {
  const store = await open();
  const content = bundle();
  const taken = await store.take(stream(content), settings, accept);
  expect(taken).toMatchObject({ settings, built: now, architecture: "amd64", bytes: content.length });
  expect(taken.sha256).toBe(createHash("sha256").update(content).digest("hex"));
  expect(store.find(taken.sha256)).toEqual(taken);
  expect(store.newest()).toEqual(taken);
  expect(readFileSync(taken.path)).toEqual(content);
  expect(store.find("0".repeat(64))).toBeUndefined();
});

test("what is too large, no bundle, broken off or refused leaves nothing", async () => {
  const store = await open();
  const kept = await store.take(stream(bundle()), settings, accept);
  const broken = new Readable({ read: () => undefined });
  const attempt = store.take(broken, settings, accept);
  broken.push(bundle().subarray(0, 5000));
  broken.destroy(new Error("the connection broke"));
  await expect(attempt).rejects.toThrow("the connection broke");
  await expect(store.take(stream(bundle(1_100_000)), settings, accept)).rejects.toThrow(/larger than 1000000 bytes/);
  await expect(store.take(stream(Buffer.alloc(4096, "x")), settings, accept)).rejects.toThrow("no tar archive");
  const refuse = () => {
    throw new Error("not wanted");
  };
  await expect(store.take(stream(bundle()), settings, refuse)).rejects.toThrow("not wanted");
  expect(readdirSync(folder)).toEqual([`${kept.sha256}-${settings}.tar`]);
});

test("the last two stay however old they are, others for an hour after they were replaced", async () => {
  const store = await open();
  const digests: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    now += 10 * minute;
    digests.push((await store.take(stream(bundle()), settings, accept)).sha256);
  }
  const there = () => digests.map((sha256) => store.find(sha256) !== undefined);
  expect(there()).toEqual([true, true, true, true]);
  now += 45 * minute; // the first was replaced 65 minutes ago, the second 55
  digests.push((await store.take(stream(bundle()), settings, accept)).sha256);
  expect(there()).toEqual([false, true, true, true, true]);
  now += 1000 * minute;
  digests.push((await store.take(stream(bundle()), settings, accept)).sha256);
  expect(there()).toEqual([false, false, false, false, true, true]);
  expect(readdirSync(folder)).toHaveLength(2);
});

test("within the hour they stay only as far as there is room for one more", async () => {
  const store = await open(300_000);
  for (let count = 0; count < 6; count += 1) {
    now += minute;
    await store.take(stream(bundle(60_000)), settings, accept);
  }
  expect(store.bytes()).toBeLessThan(200_000);
  expect(readdirSync(folder)).toHaveLength(2); // of 71,680 bytes; three would leave no room
});

test("the newest is the one that was built last, and not the one that came last", async () => {
  const store = await open();
  const older = bundle();
  now += minute;
  const { sha256 } = await store.take(stream(bundle()), settings, accept);
  await store.take(stream(older), settings, accept);
  expect(store.newest()?.sha256).toBe(sha256);
});

test("a process that starts again finds what was there, and removes what is not whole", async () => {
  const { sha256 } = await (await open()).take(stream(bundle()), settings, accept);
  now += minute;
  const second = await (await open()).take(stream(bundle()), settings, accept);
  writeFileSync(join(folder, "3.partial"), "x");
  writeFileSync(join(folder, `${"0".repeat(64)}-${settings}.tar`), "no bundle");
  const store = await open();
  expect(store.newest()).toEqual(second);
  expect(store.find(sha256)).toMatchObject({ sha256, settings });
  expect(readdirSync(folder)).toHaveLength(2);
});
