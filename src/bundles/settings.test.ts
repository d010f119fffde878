import { expect, test } from "vitest";
import { profileWith } from "../../test/support/pods.ts";
import { settingsDigest, settingsWords } from "./settings.ts";

const of = (prerequisites: object) => profileWith({ prerequisites }).prerequisites;

test("the arguments are in the order in which the script reads them", () => {
  const settings = of({
    packages: ["curl"],
    apt: {
      mirrors: { "http://archive.example.com/ubuntu/": "http://mirror.example.com/ubuntu" },
      proxy: "http://apt-cache.example.com:3142",
      keep: true,
    },
    script: "true",
    sizeLimit: "1Gi",
    timeout: "90s",
  });
  expect(settingsWords(settings)).toEqual([
    "on-failure=warn",
    "timeout=90",
    `size-limit=${Math.floor(0.9 * 2 ** 30)}`,
    "proxy=http://apt-cache.example.com:3142",
    "mirror=http://archive.example.com/ubuntu",
    "by=http://mirror.example.com/ubuntu",
    "script=true",
  ]);
});

test("the digest depends only on what would be installed", () => {
  const settings = { packages: ["curl", "git"], apt: { proxy: "http://apt-cache.example.com:3142" } };
  const digest = settingsDigest(of(settings));
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  const same = {
    ...settings,
    onFailure: "fail",
    timeout: "1m",
    sizeLimit: "1Gi",
    apt: { ...settings.apt, keep: true },
  };
  expect(settingsDigest(of(same))).toBe(digest);
  for (const other of [{ packages: ["git", "curl"] }, { script: "true" }, { apt: {} }])
    expect(settingsDigest(of({ ...settings, ...other }))).not.toBe(digest);
});
