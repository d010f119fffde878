import { readText } from "./files.ts";

/**
 * Reads files now and again, and reports them together: first at once, then whenever one of them has changed.
 *
 * The contents are compared, every `interval` milliseconds: the kubelet swaps a mounted Secret or ConfigMap by
 * renaming links, which file-system events report differently on every kind of mount.
 *
 * @param onChange gets the contents in the order of `paths`, or the error that reading them gave (once, not at every
 *   look); it must not throw; by returning "again" it asks to be shown the same at the next look
 * @returns after the first report; call `stop` to end
 */
export async function watchFiles(
  paths: readonly string[],
  interval: number,
  onChange: (contents: readonly string[] | Error) => "again" | undefined,
): Promise<{ stop: () => void }> {
  let last: string | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const contents = await readAll(paths);
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

/** The contents; or one error about all files that cannot be read, always in the same order. */
async function readAll(paths: readonly string[]): Promise<string[] | Error> {
  const results = await Promise.allSettled(paths.map((path) => readText(path)));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
  if (errors.length > 0) return new Error([...new Set(errors)].join("; "));
  return results.map((result) => (result as PromiseFulfilledResult<string>).value);
}
