import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleTar, handOver, observers, plannedBuild, temporaryFolder } from "../../test/support/bundles.ts";
import { createBuilder } from "./builder.ts";
import { createHandover } from "./handover.ts";
import { openStore } from "./store.ts";
import type { Store } from "./store.ts";

// The part of the bundle server that controls the builder, with a real directory. The tests act as the builder.

const [second, minute, hour] = [1000, 60_000, 3_600_000];
const [settings, others] = ["ab".repeat(32), "cd".repeat(32)];
const scripts = { builder: "# the builder", installer: "# the installer" };
let [directory, remove]: [string, () => void] = ["", () => undefined];
let seen: ReturnType<typeof observers>;
let now: number;
let wanted: { words: string[]; settings: string } | undefined;
let store: Store;
let step: () => Promise<void>;

async function start(): Promise<void> {
  const clock = () => now;
  store = await openStore({ directory: join(directory, "store"), limit: 3_000_000, clock });
  step = createBuilder({
    handover: createHandover(join(directory, "handover"), scripts),
    store,
    wanted: () => wanted,
    architecture: "amd64",
    interval: 24 * hour,
    deadline: 31 * minute,
    clock,
    log: seen.log,
    metrics: seen.metrics,
  });
}

beforeEach(async () => {
  ({ folder: directory, remove } = temporaryFolder());
  seen = observers();
  now = Date.parse("2026-11-26T06:00:00Z");
  wanted = { words: ["on-failure=warn", "timeout=1800", "--", "curl"], settings };
  await start();
});
afterEach(() => remove());

const handover = (path: string) => join(directory, "handover", path);
const isPlanned = () => existsSync(handover("plan/build"));
const plan = (name: string) => readFileSync(handover(`plan/${name}`), "utf8");
const finish = (outcome: Parameters<typeof handOver>[1]) => handOver(join(directory, "handover"), outcome);
const good = () => ({ tar: bundleTar({ built: now }) });

/** Builds a bundle, which takes ten seconds. */
async function buildOne(): Promise<void> {
  await step();
  now += 10 * second;
  finish(good());
  await step();
  await step(); // clears the directory
}

test("without a bundle, a build is planned at once, with the scripts and arguments that pods use", async () => {
  await step();
  expect([plan("builder"), plan("script")]).toEqual([scripts.builder, scripts.installer]);
  expect(plan("settings")).toBe("on-failure=warn\0timeout=1800\0--\0curl\0");
  expect(plannedBuild(join(directory, "handover"))).toMatch(/^\d+$/);
  expect(await seen.metric("arc_primer_bundle_last_build_succeeded")).toBe(0);
});

test("a finished bundle is moved to the store, and the next build is planned a day later", async () => {
  await buildOne();
  expect(store.newest()).toMatchObject({ settings, packages: ["curl 7.88.1"] });
  expect(isPlanned()).toBe(false);
  expect(["build", "bundle.tar"].filter((name) => existsSync(handover(`done/${name}`)))).toEqual([]);
  expect(await seen.metric('arc_primer_bundle_builds_total{result="succeeded"')).toBe(1);
  expect(await seen.metric("arc_primer_bundle_last_build_seconds")).toBe(10);
  now += 24 * hour - 11 * second;
  await step();
  expect(isPlanned()).toBe(false);
  now += 11 * second;
  await step();
  expect(isPlanned()).toBe(true);
});

test("changed settings are built at once, and the old bundle is kept until the new one is finished", async () => {
  await buildOne();
  wanted = { words: ["--", "git"], settings: others };
  await step();
  expect(plan("settings")).toBe("--\0git\0");
  expect(store.newest()?.settings).toBe(settings);
  now += minute;
  finish(good());
  await step();
  expect(store.newest()?.settings).toBe(others);
});

test("settings that change during a build are built after it", async () => {
  await step();
  wanted = { words: ["--", "git"], settings: others };
  now += minute;
  finish(good());
  await step();
  expect(store.newest()?.settings).toBe(settings);
  await step();
  expect(plan("settings")).toBe("--\0git\0");
});

test("without anything to build, no build is planned", async () => {
  wanted = undefined;
  await step();
  expect(isPlanned()).toBe(false);
});

describe("a build that fails", () => {
  test("is retried after a pause that doubles, and the last good bundle is kept", async () => {
    await buildOne();
    const before = store.newest();
    now += 24 * hour;
    for (const pause of [5, 10, 20]) {
      await step();
      finish({ failed: "E: Unable to locate package curl" });
      await step();
      expect(seen.lines.at(-1)).toMatchObject({
        level: "error",
        reason: "E: Unable to locate package curl",
        retryInSeconds: pause * 60,
        msg: "building a bundle failed; the last good bundle stays in use",
      });
      now += pause * minute - second;
      await step();
      expect(isPlanned()).toBe(false);
      now += second;
    }
    expect(store.newest()).toEqual(before);
    expect(await seen.metric("arc_primer_bundle_last_build_succeeded")).toBe(0);
    expect(await seen.metric('arc_primer_bundle_builds_total{result="failed"')).toBe(3);
  });

  test("does not delay a build of changed settings", async () => {
    await step();
    finish({ failed: "no" });
    await step();
    wanted = { words: ["--", "git"], settings: others };
    await step();
    expect(plan("settings")).toBe("--\0git\0");
  });

  test("because it hangs is stopped through the liveness probe's file, for a minute", async () => {
    await step();
    now += 31 * minute + second;
    await step();
    expect(existsSync(handover("plan/stop"))).toBe(true);
    expect(seen.lines.at(-1)).toMatchObject({ reason: "the build took longer than 1860 s and was stopped" });
    await step();
    expect(isPlanned()).toBe(false);
    now += minute;
    await step();
    expect(existsSync(handover("plan/stop"))).toBe(false);
    now += 5 * minute;
    await step();
    expect(isPlanned()).toBe(true);
  });
});

test("the result of a build that was planned before a restart is not stored", async () => {
  await step();
  const number = plannedBuild(join(directory, "handover"));
  await start();
  await step(); // plans another build
  handOver(join(directory, "handover"), good(), number.replace(/.$/, "x"));
  await step();
  expect(store.newest()).toBeUndefined();
});

describe("a result that is not a bundle of this build is not stored:", () => {
  const done = (name: string) => handover(`done/${name}`);
  const writeNumber = () => writeFileSync(done("build"), `${plannedBuild(join(directory, "handover"))}\n`);
  test.each<[string, () => void, RegExp]>([
    ["nothing", writeNumber, /ENOENT/],
    ["a link", () => (symlinkSync("/etc/passwd", done("bundle.tar")), writeNumber()), /ELOOP/],
    ["a pipe", () => (spawnSync("mkfifo", [done("bundle.tar")]), writeNumber()), /not a regular file/],
    ["a pipe for the number", () => spawnSync("mkfifo", [done("build")]), /not a regular file/],
    ["a text", () => (writeFileSync(done("bundle.tar"), "x".repeat(600)), writeNumber()), /not a tar archive/],
    [
      "another architecture",
      () => finish({ tar: bundleTar({ built: now, architecture: "arm64" }) }),
      /for arm64 instead of/,
    ],
    ["a bundle from next year", () => finish({ tar: bundleTar({ built: now + 8760 * hour }) }), /2027-11-26/],
    ["a bundle from yesterday", () => finish({ tar: bundleTar({ built: now - 24 * hour }) }), /2026-11-25/],
    [
      "a bundle that is too large",
      () => finish({ tar: bundleTar({ built: now, changes: Buffer.alloc(1_100_000) }) }),
      /larger/,
    ],
  ])("%s", async (_what, act, reason) => {
    await step();
    act();
    await step();
    expect(store.newest()).toBeUndefined();
    expect(seen.lines.at(-1)).toMatchObject({ reason: expect.stringMatching(reason) });
    now += 5 * minute;
    await step();
    expect(isPlanned()).toBe(true); // the builder still works
    finish(good());
    await step();
    expect(store.newest()).toBeDefined();
  });
});

test("an unusable directory is logged once, and tried again", async () => {
  writeFileSync(join(directory, "handover"), ""); // a file in the place of the directory
  await step();
  await step();
  expect(seen.lines.filter(({ msg }) => msg === "the builder's directory cannot be used")).toHaveLength(1);
  rmSync(join(directory, "handover"));
  await step();
  expect(isPlanned()).toBe(true);
});
