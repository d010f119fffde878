import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readText } from "./files.ts";

/**
 * Polls files and reports their contents together: once at the start, then whenever one of them has changed.
 *
 * The contents are compared every `interval` milliseconds. File-system events are not used, because the kubelet updates
 * a mounted Secret or ConfigMap by renaming symlinks, and events for that differ between kinds of mount.
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
 * The same for the files of a folder, such as a mounted ConfigMap, whatever their names.
 *
 * @param onChange gets the contents by the files' names, or the error; names that begin with a dot are the kubelet's own
 */
export async function watchFolder(
  folder: string,
  interval: number,
  onChange: (contents: Readonly<Record<string, string>> | Error) => undefined,
): Promise<{ stop: () => void }> {
  const read = async () => {
    const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
    const texts = await readAll(names.map((name) => join(folder, name)));
    return Object.fromEntries(names.map((name, index) => [name, texts[index]!]));
  };
  return watch(read, interval, onChange);
}

/** Looks at once, and then every `interval` milliseconds after the last look. */
async function watch<T>(
  read: () => Promise<T>,
  interval: number,
  onChange: (contents: T | Error) => "again" | undefined,
): Promise<{ stop: () => void }> {
  let last: string | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const contents = await read().catch((error: Error) => error);
    const seen = contents instanceof Error ? contents.message : JSON.stringify(contents);
    if (stopped) return;
    if (seen !== last) {
      last = onChange(contents) === "again" ? undefined : seen;
    }
    timer = setTimeout(look, interval).unref();
  }

  await look();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * The contents of all files.
 *
 * @throws {Error} about all that cannot be read, always in the same order
 */
async function readAll(paths: readonly string[]): Promise<string[]> {
  const results = await Promise.allSettled(paths.map((path) => readText(path)));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
  if (errors.length > 0) throw new Error([...new Set(errors)].join("; "));
  return results.map((result) => (result as PromiseFulfilledResult<string>).value);
}
