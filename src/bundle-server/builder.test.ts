import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleTar, handOver, observers, plannedBuild, temporaryFolder } from "../../test/support/bundles.ts";
import { createBuilder } from "./builder.ts";
import { createHandover } from "./handover.ts";
import { openStore } from "./store.ts";
import type { Store } from "./store.ts";

// The side of the bundle server that speaks to a builder, over a real folder; what the builder does is done by the tests.

const [second, minute, hour] = [1000, 60_000, 3_600_000];
const [settings, others] = ["ab".repeat(32), "cd".repeat(32)];
const scripts = { builder: "# the builder", installer: "# the installer" };
let [folder, remove]: [string, () => void] = ["", () => undefined];
let seen: ReturnType<typeof observers>;
let now: number;
let wanted: { words: string[]; settings: string } | undefined;
let store: Store;
let step: () => Promise<void>;

async function start(): Promise<void> {
  const clock = () => now;
  store = await openStore({ folder: join(folder, "store"), limit: 3_000_000, clock });
  step = createBuilder({
    handover: createHandover(join(folder, "handover"), scripts),
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
  ({ folder, remove } = temporaryFolder());
  seen = observers();
  now = Date.parse("2026-11-26T06:00:00Z");
  wanted = { words: ["on-failure=warn", "timeout=1800", "--", "curl"], settings };
  await start();
});
afterEach(() => remove());

const handover = (path: string) => join(folder, "handover", path);
const isPlanned = () => existsSync(handover("plan/build"));
const plan = (name: string) => readFileSync(handover(`plan/${name}`), "utf8");
const leave = (outcome: Parameters<typeof handOver>[1]) => handOver(join(folder, "handover"), outcome);
const good = () => ({ tar: bundleTar({ built: now }) });

/** Has a bundle built, within ten seconds. */
async function buildOne(): Promise<void> {
  await step();
  now += 10 * second;
  leave(good());
  await step();
  await step(); // clears the folder
}

test("without a bundle one is planned at once, with the scripts and the words as pods get them", async () => {
  await step();
  expect([plan("builder"), plan("script")]).toEqual([scripts.builder, scripts.installer]);
  expect(plan("settings")).toBe("on-failure=warn\0timeout=1800\0--\0curl\0");
  expect(plannedBuild(join(folder, "handover"))).toMatch(/^\d+$/);
  expect(await seen.metric("arc_primer_bundle_last_build_succeeded")).toBe(0);
});

test("what the builder leaves is taken over, and taken away; the next is planned a day later", async () => {
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

test("changed settings are built at once; the old bundle stays until the new one is there", async () => {
  await buildOne();
  wanted = { words: ["--", "git"], settings: others };
  await step();
  expect(plan("settings")).toBe("--\0git\0");
  expect(store.newest()?.settings).toBe(settings);
  now += minute;
  leave(good());
  await step();
  expect(store.newest()?.settings).toBe(others);
});

test("settings that change during a build are built after it", async () => {
  await step();
  wanted = { words: ["--", "git"], settings: others };
  now += minute;
  leave(good());
  await step();
  expect(store.newest()?.settings).toBe(settings);
  await step();
  expect(plan("settings")).toBe("--\0git\0");
});

test("nothing is planned where nothing is wanted", async () => {
  wanted = undefined;
  await step();
  expect(isPlanned()).toBe(false);
});

describe("a build that fails", () => {
  test("is tried again after a pause that doubles, and the last good bundle stays", async () => {
    await buildOne();
    const before = store.newest();
    now += 24 * hour;
    for (const pause of [5, 10, 20]) {
      await step();
      leave({ failed: "E: Unable to locate package curl" });
      await step();
      expect(seen.lines.at(-1)).toMatchObject({
        level: "error",
        reason: "E: Unable to locate package curl",
        retryInSeconds: pause * 60,
        msg: "a bundle could not be built; the last good bundle stays in use",
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

  test("does not hold up other settings", async () => {
    await step();
    leave({ failed: "no" });
    await step();
    wanted = { words: ["--", "git"], settings: others };
    await step();
    expect(plan("settings")).toBe("--\0git\0");
  });

  test("because it hangs is ended by the liveness probe's file, for a minute", async () => {
    await step();
    now += 31 * minute + second;
    await step();
    expect(existsSync(handover("plan/stop"))).toBe(true);
    expect(seen.lines.at(-1)).toMatchObject({ reason: "it has taken longer than 1860 s, and is stopped" });
    await step();
    expect(isPlanned()).toBe(false);
    now += minute;
    await step();
    expect(existsSync(handover("plan/stop"))).toBe(false);
    now += 5 * minute;
    await step();
    expect(isPlanned()).toBe(true);
  });

  test("and one that comes late, from before the process started again, is not taken", async () => {
    await step();
    const number = plannedBuild(join(folder, "handover"));
    await start();
    await step(); // plans anew
    handOver(join(folder, "handover"), good(), number.replace(/.$/, "x"));
    await step();
    expect(store.newest()).toBeUndefined();
  });
});

describe("what a builder leaves that is no bundle of this build:", () => {
  const done = (name: string) => handover(`done/${name}`);
  const deliver = () => writeFileSync(done("build"), `${plannedBuild(join(folder, "handover"))}\n`);
  test.each<[string, () => void, RegExp]>([
    ["nothing", deliver, /ENOENT/],
    ["a link", () => (symlinkSync("/etc/passwd", done("bundle.tar")), deliver()), /ELOOP/],
    ["a pipe", () => (spawnSync("mkfifo", [done("bundle.tar")]), deliver()), /no plain file/],
    ["a pipe for the number", () => spawnSync("mkfifo", [done("build")]), /no plain file/],
    ["a text", () => (writeFileSync(done("bundle.tar"), "x".repeat(600)), deliver()), /no tar archive/],
    [
      "another architecture",
      () => leave({ tar: bundleTar({ built: now, architecture: "arm64" }) }),
      /for arm64, and not/,
    ],
    ["one of next year", () => leave({ tar: bundleTar({ built: now + 8760 * hour }) }), /2027-11-26/],
    ["one of yesterday", () => leave({ tar: bundleTar({ built: now - 24 * hour }) }), /2026-11-25/],
    [
      "one that is too large",
      () => leave({ tar: bundleTar({ built: now, changes: Buffer.alloc(1_100_000) }) }),
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
    expect(isPlanned()).toBe(true); // and it goes on
    leave(good());
    await step();
    expect(store.newest()).toBeDefined();
  });
});

test("a folder that cannot be used is said once, and tried again", async () => {
  writeFileSync(join(folder, "handover"), ""); // a file where the folder should be
  await step();
  await step();
  expect(seen.lines.filter(({ msg }) => msg === "the builder's folder cannot be used")).toHaveLength(1);
  rmSync(join(folder, "handover"));
  await step();
  expect(isPlanned()).toBe(true);
});
