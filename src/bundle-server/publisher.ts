import type { Readable } from "node:stream";
import type { Bundle } from "../bundles/bundle.ts";
import type { Logger } from "../log.ts";
import type { BundleMetrics } from "./metrics.ts";
import type { Store, Stored } from "./store.ts";

/** The entry of this server's bundle in the index, from which the webhook knows it. */
export interface Index {
  /** Undefined if there is none, or none that can be read. */
  read(): Promise<Bundle | undefined>;
  /** Writes the entry, or removes it. */
  write(bundle: Bundle | undefined): Promise<void>;
}

export interface PublisherParts {
  readonly index: Index;
  readonly store: Store;
  /** Opens a bundle that another replica has. @throws if none has it */
  readonly fetch: (url: string) => Promise<Readable>;
  /** The digest of the settings in force; undefined while there is nothing to build. */
  readonly settings: () => string | undefined;
  readonly of: Pick<Bundle, "profile" | "image" | "architecture">;
  /** Where pods reach this server, without a slash at the end. */
  readonly url: string;
  readonly log: Logger;
  readonly metrics: BundleMetrics;
}

/**
 * Brings store and index in line: the newer bundle wins. So a replica that starts takes over what is published, and pods
 * that were admitted with it find it there as well; and one that has built a bundle publishes it.
 *
 * @returns the function that does it once
 * @throws {Error} (that function) if the index cannot be read or written
 */
export function createPublisher(parts: PublisherParts): () => Promise<void> {
  const { index, store, fetch, settings, of, url, log, metrics } = parts;

  /** Takes over what is published, if it is newer than what is here. */
  async function adopt(entry: Bundle): Promise<void> {
    const newest = store.newest();
    if (store.find(entry.sha256) || (newest && newest.built >= Date.parse(entry.built))) return;
    try {
      await store.take(await fetch(entry.url), entry.settings, ({ sha256, architecture }) => {
        if (sha256 !== entry.sha256) throw new Error(`its SHA-256 is ${sha256}`);
        if (architecture !== of.architecture) throw new Error(`it is for ${architecture}`);
      });
      log.info({ sha256: entry.sha256, url: entry.url }, "took over the bundle that is published");
    } catch (error) {
      const reason = (error as Error).message;
      log.warn({ sha256: entry.sha256, url: entry.url, reason }, "the bundle that is published cannot be fetched");
    }
  }

  const entryOf = ({ sha256, settings: built, bytes, packages, ...bundle }: Stored): Bundle => ({
    ...of,
    sha256,
    url: `${url}/${sha256}.tar`,
    settings: built,
    built: new Date(bundle.built).toISOString(),
    bytes,
    packages,
  });

  return async () => {
    metrics.published(false); // until it is known
    const entry = await index.read();
    if (entry) await adopt(entry);
    const newest = store.newest();
    if (newest ? entry?.sha256 !== newest.sha256 || entry.url !== entryOf(newest).url : entry) {
      await index.write(newest && entryOf(newest));
      log.info({ sha256: newest?.sha256 }, newest ? "published" : "nobody has the bundle; took it out of the index");
    }
    metrics.published(newest !== undefined && newest.settings === settings());
  };
}
