import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readBundleHead } from "./bundle-file.ts";
import type { BundleHead } from "./bundle-file.ts";

/** A bundle in the store. */
export interface Stored extends BundleHead {
  /** Hexadecimal digits. */
  readonly sha256: string;
  /** The digest of the profile settings that it was built from. */
  readonly settings: string;
  readonly path: string;
  readonly bytes: number;
}

/** The bundles that can be downloaded. Only this process writes to their directory. */
export interface Store {
  /** The maximum size of a bundle, in bytes. */
  readonly maxSize: number;
  /** The newest bundle, which is the one to publish. */
  newest(): Stored | undefined;
  find(sha256: string): Stored | undefined;
  /** The total size of the bundles, in bytes. */
  bytes(): number;
  /**
   * Stores a bundle, and removes old ones that exceed the space or are no longer needed.
   *
   * @param settings the digest of the settings that it was built from
   * @param check is called before the bundle is stored. If it throws, the bundle is not stored and the error is passed on
   * @throws {Error} if the data is not a bundle or is larger than `maxSize`. The store is not changed in this case
   */
  add(source: Readable, settings: string, check: (bundle: Stored) => void): Promise<Stored>;
}

/** How long a replaced bundle is kept, in milliseconds. Pods that were admitted with it have started by then. */
const retention = 3_600_000;

/**
 * Opens the store in a directory, with the bundles that an earlier process stored there.
 *
 * It keeps the last two bundles, and those that were replaced less than an hour ago if there is space. A bundle may use a third
 * of the space, so that there is room for the newest one, the previous one, and one that is being received.
 *
 * @param parts.limit the maximum total size, in bytes
 * @param parts.clock milliseconds since 1970
 */
export async function openStore(parts: { directory: string; limit: number; clock: () => number }): Promise<Store> {
  const { directory, limit, clock } = parts;
  const maxSize = Math.floor(limit / 3);
  await mkdir(directory, { recursive: true });
  let bundles = await readExisting(directory);
  const replacedAt = new Map<string, number>();
  let count = 0;

  /** Removes the bundles that are not to be kept. */
  async function prune(): Promise<void> {
    const now = clock();
    let room = limit - maxSize;
    const kept = bundles.filter(({ sha256, bytes }, index) => {
      if (index > 0 && !replacedAt.has(sha256)) replacedAt.set(sha256, now);
      room -= bytes;
      return index < 2 || (room >= 0 && now - replacedAt.get(sha256)! < retention);
    });
    const gone = bundles.filter((one) => !kept.includes(one));
    bundles = kept;
    for (const { sha256, path } of gone) {
      replacedAt.delete(sha256);
      await rm(path); // a download that has opened it continues
    }
  }

  return {
    maxSize,
    newest: () => bundles[0],
    find: (sha256) => bundles.find((one) => one.sha256 === sha256),
    bytes: () => bundles.reduce((sum, { bytes }) => sum + bytes, 0),
    async add(source, settings, check) {
      const partial = join(directory, `${(count += 1)}.partial`);
      try {
        const { sha256, bytes } = await receive(source, partial, maxSize);
        const head = await readBundleHead(partial);
        const bundle = { ...head, sha256, settings, bytes, path: join(directory, `${sha256}-${settings}.tar`) };
        check(bundle);
        await rename(partial, bundle.path);
        bundles = [bundle, ...bundles.filter((one) => one.path !== bundle.path)].toSorted(newestFirst);
        await prune();
        return bundle;
      } finally {
        await rm(partial, { force: true });
      }
    },
  };
}

const newestFirst = (one: BundleHead, other: BundleHead): number => other.built - one.built;

/** Reads the complete bundles that an earlier process of this container stored, and removes all other files. */
async function readExisting(directory: string): Promise<Stored[]> {
  const bundles: Stored[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const [, sha256, settings] = /^([0-9a-f]{64})-([0-9a-f]{64})\.tar$/.exec(name) ?? [];
    try {
      if (!sha256 || !settings) throw new Error("not a complete bundle");
      const head = await readBundleHead(path);
      bundles.push({ ...head, sha256, settings, path, bytes: (await stat(path)).size });
    } catch {
      await rm(path, { force: true, recursive: true }); // a bundle can be built again
    }
  }
  return bundles.toSorted(newestFirst);
}

/** Writes a stream to a file and returns its SHA-256 and size. */
async function receive(source: Readable, path: string, max: number): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(
    source,
    async function* counted(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > max) throw new Error(`it is larger than ${max} bytes, the maximum size of a bundle`);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  return { sha256: hash.digest("hex"), bytes };
}
