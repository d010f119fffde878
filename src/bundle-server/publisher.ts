import type { Readable } from "node:stream";
import type { Bundle } from "../bundles/bundle.ts";
import type { Logger } from "../log.ts";
import type { BundleMetrics } from "./metrics.ts";
import type { Store, Stored } from "./store.ts";

/** The index entry of this server's bundle. The webhook reads the index. */
export interface Index {
  /** Returns undefined if there is no entry or an invalid one. */
  read(): Promise<Bundle | undefined>;
  /** Writes the entry, or removes it. */
  write(bundle: Bundle | undefined): Promise<void>;
}

export interface PublisherParts {
  readonly index: Index;
  readonly store: Store;
  /** Downloads a bundle from another replica. @throws if none has it */
  readonly fetch: (url: string) => Promise<Readable>;
  /** The digest of the current settings; undefined if there is nothing to build. */
  readonly settings: () => string | undefined;
  readonly of: Pick<Bundle, "profile" | "image" | "architecture">;
  /** The base URL at which pods reach this server, without a trailing slash. */
  readonly url: string;
  readonly log: Logger;
  readonly metrics: BundleMetrics;
}

/**
 * Synchronizes store and index: the newer bundle wins. A new replica downloads the published bundle, so that pods which were
 * admitted with it can download it from this replica too. A replica that has built a bundle publishes it.
 *
 * @returns a function that synchronizes once. It throws an error if the index cannot be read or written
 */
export function createPublisher(parts: PublisherParts): () => Promise<void> {
  const { index, store, fetch, settings, of, url, log, metrics } = parts;

  /** Downloads the published bundle if it is newer than the newest stored one. */
  async function adopt(entry: Bundle): Promise<void> {
    const newest = store.newest();
    if (store.find(entry.sha256) || (newest && newest.built >= Date.parse(entry.built))) return;
    try {
      await store.add(await fetch(entry.url), entry.settings, ({ sha256, architecture }) => {
        if (sha256 !== entry.sha256) throw new Error(`its SHA-256 is ${sha256}`);
        if (architecture !== of.architecture) throw new Error(`it is for ${architecture}`);
      });
      log.info({ sha256: entry.sha256, url: entry.url }, "downloaded the published bundle");
    } catch (error) {
      const reason = (error as Error).message;
      log.warn({ sha256: entry.sha256, url: entry.url, reason }, "the published bundle cannot be downloaded");
    }
  }

  const entryOf = ({ sha256, settings: builtFrom, bytes, packages, built }: Stored): Bundle => ({
    ...of,
    sha256,
    url: `${url}/${sha256}.tar`,
    settings: builtFrom,
    built: new Date(built).toISOString(),
    bytes,
    packages,
  });

  return async () => {
    metrics.published(false); // until the index has been read
    const entry = await index.read();
    if (entry) await adopt(entry);
    const newest = store.newest();
    if (newest ? entry?.sha256 !== newest.sha256 || entry.url !== entryOf(newest).url : entry) {
      await index.write(newest && entryOf(newest));
      log.info(
        { sha256: newest?.sha256 },
        newest ? "published the bundle" : "removed the index entry, because no replica has the bundle",
      );
    }
    metrics.published(newest !== undefined && newest.settings === settings());
  };
}
