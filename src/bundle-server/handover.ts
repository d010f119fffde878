import { constants } from "node:fs";
import { chmod, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

// The directory that this process shares with the builder, another container of the pod. Only this process writes to `plan`.
// The builder writes to `done`. It runs the packages' own scripts as root, so a file in `done` may be anything.

/** The instructions for the builder. */
export interface Plan {
  /** Unique for each build. */
  readonly number: number;
  /** The arguments of src/scripts/install-packages.sh. */
  readonly words: readonly string[];
}

/** The result of a build. */
export type Outcome =
  | { readonly kind: "built"; /** Opens the bundle. @throws if it is not a regular file */ open(): Promise<Readable> }
  | { readonly kind: "failed"; readonly reason: string };

export interface Handover {
  /** Creates the directories, and removes the last plan and outcome. Nothing is built until the next plan. */
  clear(): Promise<void>;
  /** Writes a plan, which starts the builder. */
  begin(plan: Plan): Promise<void>;
  /** The result of the build; undefined while it runs. */
  outcome(number: number): Promise<Outcome | undefined>;
  /** Creates or removes the file that fails the builder's liveness probe, so that the kubelet stops its container. */
  stop(wanted: boolean): Promise<void>;
}

/** The maximum number of bytes that are read from a small file. */
const maxText = 4096;

/** @param scripts the texts of build-bundle.sh and install-packages.sh */
export function createHandover(directory: string, scripts: { builder: string; installer: string }): Handover {
  const plan = (name: string) => join(directory, "plan", name);
  const done = (name: string) => join(directory, "done", name);
  const put = async (name: string, text: string) => {
    const partial = plan(`.${name}.partial`);
    await writeFile(partial, text);
    await rename(partial, plan(name));
  };
  return {
    async clear() {
      await mkdir(plan(""), { recursive: true });
      // The builder runs as another user, but this process must be able to delete its files.
      if (await mkdir(done(""), { recursive: true })) await chmod(done(""), 0o777);
      await rm(plan("build"), { force: true }); // first, so that a builder that starts now does not build again
      for (const name of ["build", "failed", "bundle.tar"]) await rm(done(name), { force: true, recursive: true });
    },
    async begin({ number, words }) {
      await put("builder", scripts.builder);
      await put("script", scripts.installer);
      await put("settings", words.map((word) => `${word}\0`).join(""));
      await put("build", `${number}\n`);
    },
    async outcome(number) {
      if ((await firstLine(done("build"))) === String(number)) {
        return { kind: "built", open: async () => (await openRegularFile(done("bundle.tar"))).createReadStream() };
      }
      const [first, ...reason] = ((await readSmall(done("failed"))) ?? "").split("\n");
      if (first !== String(number)) return undefined;
      return { kind: "failed", reason: reason.join("\n").trim() || "the builder gave no reason" };
    },
    stop: async (wanted) => (wanted ? put("stop", "") : rm(plan("stop"), { force: true })),
  };
}

/** Opens a regular file. Links, pipes and devices are rejected, because they could lead out of the directory or block. */
async function openRegularFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is not a regular file`);
}

async function firstLine(path: string): Promise<string | undefined> {
  return (await readSmall(path))?.split("\n")[0];
}

/** The beginning of a text file; undefined if the file does not exist. */
async function readSmall(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await openRegularFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxText), 0, maxText, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
