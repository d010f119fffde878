import { constants } from "node:fs";
import { chmod, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

// The folder by which this process and the builder, another container of the pod, speak to each other. `plan` is ours alone
// to write. `done` is the builder's, in which packages run scripts of their own as root: a name in it may be anything.

/** What the builder is to do. */
export interface Plan {
  /** Another one for each build. */
  readonly number: number;
  /** The words of src/scripts/install-packages.sh. */
  readonly words: readonly string[];
}

/** What has become of a build. */
export type Outcome =
  | { readonly kind: "built"; /** Opens the bundle. @throws if it is no plain file */ open(): Promise<Readable> }
  | { readonly kind: "failed"; readonly reason: string };

export interface Handover {
  /** Makes what is missing of the folder, and takes plan and outcome away: nothing is built until the next plan. */
  clear(): Promise<void>;
  /** Has the builder begin. */
  begin(plan: Plan): Promise<void>;
  /** What has become of that build; undefined as long as it goes on. */
  outcome(number: number): Promise<Outcome | undefined>;
  /** Has the kubelet end the builder's container, whose liveness probe looks for this file; or no longer. */
  stop(wanted: boolean): Promise<void>;
}

/** For how much of a small file there is a use. */
const mostText = 4096;

/** @param scripts the texts of build-bundle.sh and install-packages.sh */
export function createHandover(folder: string, scripts: { builder: string; installer: string }): Handover {
  const plan = (name: string) => join(folder, "plan", name);
  const done = (name: string) => join(folder, "done", name);
  const put = async (name: string, text: string) => {
    const partial = plan(`.${name}.partial`);
    await writeFile(partial, text);
    await rename(partial, plan(name));
  };
  return {
    async clear() {
      await mkdir(plan(""), { recursive: true });
      // The builder is another user, and what it leaves has to be removed from here.
      if (await mkdir(done(""), { recursive: true })) await chmod(done(""), 0o777);
      await rm(plan("build"), { force: true }); // first: a builder that starts now must not begin again
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
        return { kind: "built", open: async () => (await openPlain(done("bundle.tar"))).createReadStream() };
      }
      const [first, ...reason] = ((await readSmall(done("failed"))) ?? "").split("\n");
      if (first !== String(number)) return undefined;
      return { kind: "failed", reason: reason.join("\n").trim() || "the builder gives no reason" };
    },
    stop: async (wanted) => (wanted ? put("stop", "") : rm(plan("stop"), { force: true })),
  };
}

/** Opens a plain file: no link out of the folder, no pipe to wait at, no device. */
async function openPlain(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no plain file`);
}

async function firstLine(path: string): Promise<string | undefined> {
  return (await readSmall(path))?.split("\n")[0];
}

/** The beginning of a text; undefined if there is none. */
async function readSmall(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await openPlain(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(mostText), 0, mostText, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
