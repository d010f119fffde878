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
  /** What it was built from: the digest of the profile's settings. */
  readonly settings: string;
  readonly path: string;
  readonly bytes: number;
}

/** The bundles that can be asked for. Only this process writes into their folder. */
export interface Store {
  /** The largest bundle that it takes, in bytes. */
  readonly largest: number;
  /** The newest one, which is the one to publish. */
  newest(): Stored | undefined;
  find(sha256: string): Stored | undefined;
  /** All of them together, in bytes. */
  bytes(): number;
  /**
   * Takes a bundle in, and removes old ones for which there is no room or no use.
   *
   * @param settings what it was built from
   * @param check is shown the bundle before it is taken; what it throws is thrown
   * @throws {Error} if the bytes are no bundle, or more than `largest`; the store is then as it was
   */
  take(source: Readable, settings: string, check: (bundle: Stored) => void): Promise<Stored>;
}

/** How long a bundle is kept that another has replaced, in milliseconds: pods that were admitted with it start by then. */
const keptFor = 3_600_000;

/**
 * Opens the store in a folder, with what an earlier process left there.
 *
 * It keeps the last two bundles, and those that were replaced less than an hour ago as far as there is room. A third of the
 * room is for one bundle: the newest, the one before it, and one that is being taken in.
 *
 * @param parts.limit the bytes that the folder may hold
 * @param parts.clock milliseconds since 1970
 */
export async function openStore(parts: { folder: string; limit: number; clock: () => number }): Promise<Store> {
  const { folder, limit, clock } = parts;
  const largest = Math.floor(limit / 3);
  await mkdir(folder, { recursive: true });
  let bundles = await leftBehind(folder);
  const replacedAt = new Map<string, number>();
  let count = 0;

  /** Keeps what is to be kept, the newest first. */
  async function tidy(): Promise<void> {
    const now = clock();
    let room = limit - largest;
    const kept = bundles.filter(({ sha256, bytes }, index) => {
      if (index > 0 && !replacedAt.has(sha256)) replacedAt.set(sha256, now);
      room -= bytes;
      return index < 2 || (room >= 0 && now - replacedAt.get(sha256)! < keptFor);
    });
    const gone = bundles.filter((one) => !kept.includes(one));
    bundles = kept;
    for (const { sha256, path } of gone) {
      replacedAt.delete(sha256);
      await rm(path); // who is reading it reads on
    }
  }

  return {
    largest,
    newest: () => bundles[0],
    find: (sha256) => bundles.find((one) => one.sha256 === sha256),
    bytes: () => bundles.reduce((sum, { bytes }) => sum + bytes, 0),
    async take(source, settings, check) {
      const partial = join(folder, `${(count += 1)}.partial`);
      try {
        const { sha256, bytes } = await receive(source, partial, largest);
        const head = await readBundleHead(partial);
        const bundle = { ...head, sha256, settings, bytes, path: join(folder, `${sha256}-${settings}.tar`) };
        check(bundle);
        await rename(partial, bundle.path);
        bundles = [bundle, ...bundles.filter((one) => one.path !== bundle.path)].toSorted(newestFirst);
        await tidy();
        return bundle;
      } finally {
        await rm(partial, { force: true });
      }
    },
  };
}

const newestFirst = (one: BundleHead, other: BundleHead): number => other.built - one.built;

/** What an earlier process of this container took in whole. The rest is removed. */
async function leftBehind(folder: string): Promise<Stored[]> {
  const bundles: Stored[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const [, sha256, settings] = /^([0-9a-f]{64})-([0-9a-f]{64})\.tar$/.exec(name) ?? [];
    try {
      if (!sha256 || !settings) throw new Error("not a whole bundle");
      const head = await readBundleHead(path);
      bundles.push({ ...head, sha256, settings, path, bytes: (await stat(path)).size });
    } catch {
      await rm(path, { force: true, recursive: true }); // what it was does not matter: it can be built again
    }
  }
  return bundles.toSorted(newestFirst);
}

/** Writes all of a stream to a file, and tells its SHA-256. */
async function receive(source: Readable, path: string, most: number): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await pipeline(
    source,
    async function* counted(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > most) throw new Error(`it is larger than ${most} bytes, which is all that the store takes of one`);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
  );
  return { sha256: hash.digest("hex"), bytes };
}
