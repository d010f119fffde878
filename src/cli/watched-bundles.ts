import type { Bundle } from "../bundles/bundle.ts";
import { parseIndexEntry } from "../bundles/index-entry.ts";
import type { Logger } from "../log.ts";
import type { Metrics, ProfileBundles } from "../metrics.ts";
import { watchFolder } from "../watch.ts";

/**
 * The package bundles that are ready, following the folder in which the index is mounted: one file an entry. An entry that
 * cannot be read is left out, with a warning. Without a folder there are none.
 */
export async function watchedBundles(
  folder: string | undefined,
  interval: number,
  log: Logger,
  metrics: Metrics,
): Promise<() => readonly Bundle[]> {
  let current: readonly Bundle[] = [];
  if (folder === undefined) return () => current;
  await watchFolder(folder, interval, (contents) => {
    if (contents instanceof Error) {
      log.error(
        { folder, reason: contents.message },
        "the index of package bundles cannot be read; it stays as it was",
      );
      return undefined;
    }
    current = Object.entries(contents).flatMap(([file, text]) => {
      const entry = parseIndexEntry(text);
      if (!("problem" in entry)) return [entry];
      log.warn({ folder, file, problem: entry.problem }, "an entry of the index of package bundles is left out");
      return [];
    });
    metrics.bundles(byProfile(current));
    const ready = current.map(({ profile, image, architecture, sha256 }) => ({ profile, image, architecture, sha256 }));
    log.info({ folder, ready }, "package bundles read");
    return undefined;
  });
  return () => current;
}

function byProfile(bundles: readonly Bundle[]): Map<string, ProfileBundles> {
  const found = new Map<string, ProfileBundles>();
  for (const { profile, built } of bundles) {
    const { count, oldest } = found.get(profile) ?? { count: 0, oldest: Infinity };
    found.set(profile, { count: count + 1, oldest: Math.min(oldest, Date.parse(built) / 1000) });
  }
  return found;
}
