import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readText } from "./files.ts";

/**
 * Polls files and reports their contents together: once at the start, then whenever one of them has changed.
 *
 * The contents are compared every `interval` milliseconds. File-system events are not used, because the kubelet updates
 * a mounted Secret or ConfigMap by renaming symlinks, and the events for that differ between mount types.
 *
 * @param onChange called with the contents in the order of `paths`, or with the read error (once, not at every poll). It
 *   must not throw, except in the first call. If it returns "again", the next poll calls it again with the same contents
 * @returns after the first call of `onChange`; call `stop` to stop polling
 */
export async function watchFiles(
  paths: readonly string[],
  interval: number,
  onChange: (contents: readonly string[] | Error) => "again" | undefined,
): Promise<{ stop: () => void }> {
  return watch(async () => readAll(paths), interval, onChange);
}

/**
 * Does the same for all files in a directory, such as a mounted ConfigMap. Names that begin with a dot are ignored, because
 * the kubelet uses them internally.
 *
 * @param onChange called with the contents by file name, or with the read error
 */
export async function watchDirectory(
  directory: string,
  interval: number,
  onChange: (contents: Readonly<Record<string, string>> | Error) => undefined,
): Promise<{ stop: () => void }> {
  const read = async () => {
    const names = (await readdir(directory)).filter((name) => !name.startsWith(".")).toSorted();
    const texts = await readAll(names.map((name) => join(directory, name)));
    return Object.fromEntries(names.map((name, index) => [name, texts[index]!]));
  };
  return watch(read, interval, onChange);
}

/** Reads at once, and then again `interval` milliseconds after each read. */
async function watch<T>(
  read: () => Promise<T>,
  interval: number,
  onChange: (contents: T | Error) => "again" | undefined,
): Promise<{ stop: () => void }> {
  let last: string | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout;

  async function poll(): Promise<void> {
    const contents = await read().catch((error: Error) => error);
    const fingerprint = contents instanceof Error ? contents.message : JSON.stringify(contents);
    if (stopped) return;
    if (fingerprint !== last) {
      last = onChange(contents) === "again" ? undefined : fingerprint;
    }
    timer = setTimeout(poll, interval).unref();
  }

  await poll();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Reads all files.
 *
 * @throws {Error} with the messages of all files that cannot be read, always in the same order
 */
async function readAll(paths: readonly string[]): Promise<string[]> {
  const results = await Promise.allSettled(paths.map((path) => readText(path)));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
  if (errors.length > 0) throw new Error([...new Set(errors)].join("; "));
  return results.map((result) => (result as PromiseFulfilledResult<string>).value);
}
