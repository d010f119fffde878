import { expect, test } from "vitest";
import type { Bundle } from "./bundle.ts";
import { indexEntry, parseIndexEntry } from "./index-entry.ts";

const sha256 = "ab".repeat(32);
const bundle: Bundle = {
  profile: "default",
  image: "ghcr.io/actions/actions-runner:2.330.0",
  architecture: "amd64",
  sha256,
  url: `http://arc-primer-bundle-default-1f.primer-system.svc.cluster.local:8081/${sha256}.tar`,
  settings: "cd".repeat(32),
  built: "2026-11-26T06:00:00.000Z",
  bytes: 54_000_000,
  packages: ["curl 7.88.1-10+deb12u15"],
};
const changed = (changes: object) => JSON.stringify({ ...bundle, ...changes });

test("the webhook reads what a bundle server writes", () => {
  expect(parseIndexEntry(indexEntry(bundle))).toEqual(bundle);
});

test("unknown fields of a later version are ignored", () => {
  expect(parseIndexEntry(changed({ signature: "x" }))).toEqual(bundle);
});

test("a long list of packages is truncated", () => {
  const packages = Array.from({ length: 1200 }, (_, index) => `package-${index} 1.0`);
  expect(parseIndexEntry(indexEntry({ ...bundle, packages }))).toEqual({
    ...bundle,
    packages: packages.slice(0, 500),
  });
});

test.each<[string, string, RegExp]>([
  ["invalid JSON", "{", /^entry: /],
  ["a list", "[]", /^entry: /],
  ["an invalid digest", changed({ sha256: "abc" }), /^sha256: /],
  ["a URL with a space, which would be two fields", changed({ url: `http://a b/${sha256}.tar` }), /^url: /],
  [
    "a URL of a different file",
    changed({ url: `http://a/${"0".repeat(64)}.tar` }),
    /^url: it does not end in the sha256 and \.tar$/,
  ],
  ["a URL with another scheme", changed({ url: `file:///${sha256}.tar` }), /^url: /],
  ["an invalid time", changed({ built: "yesterday" }), /^built: /],
  ["an invalid size", changed({ bytes: -1 }), /^bytes: /],
  ["an empty digest of the settings", changed({ settings: "" }), /^settings: /],
])("%s is not a bundle, and the problem is named", (_what, text, problem) => {
  expect(parseIndexEntry(text)).toEqual({ problem: expect.stringMatching(problem) });
});
