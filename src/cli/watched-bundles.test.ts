import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/bundles.ts";
import { indexEntry } from "../bundles/index-entry.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { watchedBundles } from "./watched-bundles.ts";

// The directory is updated like a mounted ConfigMap: the kubelet renames the symlink `..data`, and each file is a symlink
// into it.

let [folder, remove]: [string, () => void] = ["", () => undefined];
let versions = 0;
const lines: Record<string, unknown>[] = [];
const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  lines.length = 0;
});
afterEach(() => remove());

function mount(data: Record<string, string>): void {
  const version = `..version-${(versions += 1)}`;
  mkdirSync(join(folder, version));
  for (const [name, text] of Object.entries(data)) {
    writeFileSync(join(folder, version, name), text);
    symlinkSync(join("..data", name), join(folder, `.${name}.new`));
    renameSync(join(folder, `.${name}.new`), join(folder, name));
  }
  symlinkSync(version, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
}

const sha256 = "ab".repeat(32);
const bundle = (profile: string, built = "2026-11-26T06:00:00.000Z") => ({
  profile,
  image: "runner:1",
  architecture: "amd64",
  sha256,
  url: `http://a:8081/${sha256}.tar`,
  settings: "cd".repeat(32),
  built,
  bytes: 1,
  packages: [],
});
const watched = async () => {
  const metrics = createMetrics({ processMetrics: false });
  const bundles = await watchedBundles(folder, 20, log, metrics);
  const counted = async () =>
    (await metrics.expose()).text.split("\n").filter((line) => /^arc_primer_(oldest_)?bundle/.test(line));
  return { bundles, counted };
};

test("entries are available at once, updated when the directory changes, and counted by profile", async () => {
  mount({ one: indexEntry(bundle("default")), two: indexEntry(bundle("default", "2026-11-25T06:00:00.000Z")) });
  const { bundles, counted } = await watched();
  expect(bundles().map(({ built }) => built.slice(8, 10))).toEqual(["26", "25"]);
  expect(await counted()).toEqual([
    'arc_primer_bundles{profile="default"} 2',
    `arc_primer_oldest_bundle_timestamp_seconds{profile="default"} ${Date.parse("2026-11-25T06:00:00Z") / 1000}`,
  ]);
  mount({ one: indexEntry(bundle("gpu")), two: "" });
  await vi.waitFor(() => expect(bundles().map(({ profile }) => profile)).toEqual(["gpu"]));
  expect((await counted())[0]).toBe('arc_primer_bundles{profile="gpu"} 1');
});

test("an unreadable entry is ignored with one warning, and the others are used", async () => {
  mount({ good: indexEntry(bundle("default")), bad: "{" });
  const { bundles } = await watched();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(bundles()).toEqual([bundle("default")]);
  expect(lines.filter(({ level }) => level === "warn")).toEqual([
    expect.objectContaining({ file: "bad", problem: expect.stringContaining("entry") }),
  ]);
});

test("there are no bundles with an empty directory or without one; if the directory disappears, the bundles are kept", async () => {
  const { bundles } = await watched();
  expect(bundles()).toEqual([]);
  mount({ one: indexEntry(bundle("default")) });
  await vi.waitFor(() => expect(bundles()).toHaveLength(1));
  renameSync(folder, `${folder}-gone`);
  await vi.waitFor(() => expect(lines.at(-1)).toMatchObject({ level: "error" }));
  expect(bundles()).toHaveLength(1);
  renameSync(`${folder}-gone`, folder);
  const none = await watchedBundles(undefined, 20, log, createMetrics({ processMetrics: false }));
  expect(none()).toEqual([]);
});
