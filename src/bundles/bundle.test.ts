import { expect, test } from "vitest";
import { bundleAge, bundleWord, bundlesFor } from "./bundle.ts";
import type { Bundle } from "./bundle.ts";

const bundle = (change: Partial<Bundle> = {}): Bundle => ({
  profile: "default",
  image: "runner:1",
  architecture: "amd64",
  sha256: "a".repeat(64),
  url: "http://bundles.example.com/a.tar",
  settings: "b",
  built: "2026-11-25T04:00:00Z",
  bytes: 1,
  packages: [],
  ...change,
});
const wanted = { profile: "default", image: "runner:1", settings: "b" };

test("a bundle must have the same profile, image and settings", () => {
  const others = [bundle({ profile: "large" }), bundle({ image: "runner:2" }), bundle({ settings: "c" })];
  expect(bundlesFor([...others, bundle()], wanted)).toEqual([bundle()]);
  expect(bundlesFor(others, wanted)).toEqual([]);
});

test("the newest bundle of each architecture, regardless of order and time zone", () => {
  const old = bundle({ built: "2026-11-25T05:30:00+02:00" });
  const arm = bundle({ architecture: "arm64" });
  for (const all of [
    [arm, old, bundle()],
    [bundle(), arm, old],
  ])
    expect(bundlesFor(all, wanted)).toEqual([bundle(), arm]);
});

test("a bundle as an argument with three fields", () => {
  expect(bundleWord(bundle())).toBe(`bundle=amd64 ${"a".repeat(64)} http://bundles.example.com/a.tar`);
});

test.each([
  ["2026-11-25T05:30:00Z", "90 minutes"],
  ["2026-11-25T09:00:00Z", "5 hours"],
  ["2026-11-28T04:00:00Z", "3 days"],
  ["2026-11-25T03:00:00Z", "0 minutes"], // the clock is behind
])("its age at %s is %s", (now, age) => expect(bundleAge(bundle(), Date.parse(now))).toBe(age));
