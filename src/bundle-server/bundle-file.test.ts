import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleTar, tarIn, tarOf, temporaryFolder } from "../../test/support/bundles.ts";
import { readBundleHead } from "./bundle-file.ts";

const { folder: directory, remove } = temporaryFolder();
afterAll(remove);
const read = async (content: Buffer | string) => {
  writeFileSync(join(directory, "bundle.tar"), content);
  return readBundleHead(join(directory, "bundle.tar"));
};
const head = "format=1\nbuilt=1000\narchitecture=amd64\n";

test("the description of a bundle: build time, architecture and packages", async () => {
  const packages = ["curl 7.88.1-10", "libcurl4 7.88.1-10"];
  expect(await read(bundleTar({ built: 1_000_000, architecture: "arm64", packages }))).toEqual({
    built: 1_000_000,
    architecture: "arm64",
    packages,
  });
});

test("a bundle may have no packages, and may have unknown members", async () => {
  expect((await read(tarOf({ bundle: head, packages: "", later: "x" }))).packages).toEqual([]);
});

test.each<[string, () => Buffer | string, RegExp]>([
  ["an empty file", () => "", /is truncated/],
  ["another kind of file", () => "x".repeat(2048), /not a tar archive/],
  [
    "a truncated bundle",
    () => bundleTar({ changes: "x".repeat(4096) }).subarray(0, 4096),
    /is truncated in the member/,
  ],
  [
    "another format",
    () => tarOf({ bundle: head.replace("=1\n", "=2\n"), packages: "" }),
    /format is 2, but only format 1/,
  ],
  ["no time", () => tarOf({ bundle: "format=1\narchitecture=amd64\n", packages: "" }), /lacks the field built/],
  ["an archive of something else", () => tarOf({ "etc-passwd": "" }), /member bundle is missing/],
  ["no list of packages", () => tarOf({ bundle: head, fingerprint: "" }), /member packages is missing/],
  ["a description that is too long", () => tarOf({ bundle: head + "x".repeat(70_000), packages: "" }), /larger than/],
])("%s is not a bundle", async (_what, content, problem) => {
  await expect(read(content())).rejects.toThrow(problem);
});

test("an archive of links or directories is not a bundle", async () => {
  symlinkSync("/etc/passwd", join(directory, "bundle"));
  await expect(read(tarIn(directory, ["bundle"]))).rejects.toThrow(/is not a regular file/);
  mkdirSync(join(directory, "packages"));
  await expect(read(tarIn(directory, ["packages"]))).rejects.toThrow(/is not a regular file/);
});
