import type { Bundle } from "../bundles/bundle.ts";
import { parseIndexEntry } from "../bundles/index-entry.ts";
import type { Logger } from "../log.ts";
import type { Metrics, ProfileBundles } from "../metrics.ts";
import { watchDirectory } from "../watch.ts";

/**
 * Reads the index of package bundles from its directory, and again whenever it changes. Each file is an entry. Unreadable
 * entries are ignored with a warning.
 *
 * @param directory the directory where the index is mounted; without it there are no bundles
 * @returns a function that returns the bundles that are ready
 */
export async function watchedBundles(
  directory: string | undefined,
  interval: number,
  log: Logger,
  metrics: Metrics,
): Promise<() => readonly Bundle[]> {
  let current: readonly Bundle[] = [];
  if (directory === undefined) return () => current;
  await watchDirectory(directory, interval, (contents) => {
    if (contents instanceof Error) {
      log.error(
        { folder: directory, reason: contents.message },
        "the index of package bundles cannot be read; the last index stays in use",
      );
      return undefined;
    }
    current = Object.entries(contents).flatMap(([file, text]) => {
      const entry = parseIndexEntry(text);
      if (!("problem" in entry)) return [entry];
      log.warn(
        { folder: directory, file, problem: entry.problem },
        "unreadable entry in the index of package bundles ignored",
      );
      return [];
    });
    metrics.bundles(byProfile(current));
    const ready = current.map(({ profile, image, architecture, sha256 }) => ({ profile, image, architecture, sha256 }));
    log.info({ folder: directory, ready }, "package bundles read");
    return undefined;
  });
  return () => current;
}

function byProfile(bundles: readonly Bundle[]): Map<string, ProfileBundles> {
  const result = new Map<string, ProfileBundles>();
  for (const { profile, built } of bundles) {
    const { count, oldest } = result.get(profile) ?? { count: 0, oldest: Infinity };
    result.set(profile, { count: count + 1, oldest: Math.min(oldest, Date.parse(built) / 1000) });
  }
  return result;
}
