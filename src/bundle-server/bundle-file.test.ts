import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleTar, tarIn, tarOf, temporaryFolder } from "../../test/support/bundles.ts";
import { readBundleHead } from "./bundle-file.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);
const read = async (content: Buffer | string) => {
  writeFileSync(join(folder, "bundle.tar"), content);
  return readBundleHead(join(folder, "bundle.tar"));
};
const head = "format=1\nbuilt=1000\narchitecture=amd64\n";

test("a bundle says when and for what it was built, and what is in it", async () => {
  const packages = ["curl 7.88.1-10", "libcurl4 7.88.1-10"];
  expect(await read(bundleTar({ built: 1_000_000, architecture: "arm64", packages }))).toEqual({
    built: 1_000_000,
    architecture: "arm64",
    packages,
  });
});

test("a bundle may have no changes, and members that this version does not know", async () => {
  expect((await read(tarOf({ bundle: head, packages: "", later: "x" }))).packages).toEqual([]);
});

test.each<[string, () => Buffer | string, RegExp]>([
  ["an empty file", () => "", /ends too early/],
  ["another kind of file", () => "x".repeat(2048), /no tar archive/],
  ["a bundle that was cut", () => bundleTar({ changes: "x".repeat(4096) }).subarray(0, 4096), /ends in the middle of/],
  ["another format", () => tarOf({ bundle: head.replace("=1\n", "=2\n"), packages: "" }), /format 2, and only 1/],
  ["no time", () => tarOf({ bundle: "format=1\narchitecture=amd64\n", packages: "" }), /lacks built/],
  ["an archive of something else", () => tarOf({ "etc-passwd": "" }), /no member bundle/],
  ["no list of packages", () => tarOf({ bundle: head, fingerprint: "" }), /no member packages/],
  ["a description that is too long", () => tarOf({ bundle: head + "x".repeat(70_000), packages: "" }), /larger than/],
])("%s is no bundle", async (_what, content, problem) => {
  await expect(read(content())).rejects.toThrow(problem);
});

test("neither is an archive of links and folders", async () => {
  symlinkSync("/etc/passwd", join(folder, "bundle"));
  await expect(read(tarIn(folder, ["bundle"]))).rejects.toThrow(/is no regular file/);
  mkdirSync(join(folder, "packages"));
  await expect(read(tarIn(folder, ["packages"]))).rejects.toThrow(/is no regular file/);
});
