import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/log.ts";
import { createBundleMetrics } from "../../src/bundle-server/metrics.ts";

/** Creates a temporary directory. `remove` deletes it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-bundle-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Content {
  /** Milliseconds since 1970. */
  readonly built?: number;
  readonly architecture?: string;
  readonly packages?: readonly string[];
  /** The content of changes.tar, the files of the packages. */
  readonly changes?: string | Buffer;
}

/** A bundle like those of the builder, created with the real tar. */
export function bundleTar(content: Content = {}): Buffer {
  const { built = Date.now(), architecture = "amd64", packages = ["curl 7.88.1"], changes = "changes" } = content;
  return tarOf({
    bundle: `format=1\nbuilt=${Math.floor(built / 1000)}\narchitecture=${architecture}\n`,
    packages: packages.map((one) => `${one}\n`).join(""),
    fingerprint: "0  /var/lib/dpkg/status\n",
    "changes.tar": changes,
  });
}

/** A tar archive of these files, in this order. */
export function tarOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const { folder, remove } = temporaryFolder();
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return tarIn(folder, Object.keys(files));
  } finally {
    remove();
  }
}

/** A tar archive of these files or directories in a directory. */
export function tarIn(folder: string, names: readonly string[]): Buffer {
  const archive = join(folder, ".archive");
  const { status, stderr } = spawnSync("tar", ["-c", "-f", archive, "-C", folder, "--format=ustar", ...names], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return readFileSync(archive);
}

/** A log whose lines a test can read, and metrics. */
export function observers() {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger("debug", { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const metrics = createBundleMetrics(
    { profile: "default", image: "runner:1", architecture: "amd64" },
    { interval: 86_400_000, processMetrics: false },
  );
  /** The value of the first metric whose line starts with this text. */
  const metric = async (name: string): Promise<number | undefined> => {
    const line = (await metrics.expose()).text.split("\n").find((one) => one.startsWith(name));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  };
  return { lines, log, metrics, metric };
}

/** Does what the builder's container does after a build: it writes the result of the planned build to the directory. */
export function handOver(folder: string, outcome: { tar: Buffer } | { failed: string }, number = plannedBuild(folder)) {
  const done = (name: string) => join(folder, "done", name);
  mkdirSync(done(""), { recursive: true });
  if ("tar" in outcome) {
    writeFileSync(done("bundle.tar"), outcome.tar);
    writeFileSync(done("build"), `${number}\n`);
  } else writeFileSync(done("failed"), `${number}\n${outcome.failed}\n`);
}

/** The number of the planned build. */
export function plannedBuild(folder: string): string {
  return readFileSync(join(folder, "plan/build"), "utf8").trim();
}
