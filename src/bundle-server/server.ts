import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createBuilder } from "./builder.ts";
import type { BuilderParts } from "./builder.ts";
import { createDownloads, downloadLimits } from "./download.ts";
import { fetchBundle } from "./fetch.ts";
import { createOps } from "./ops.ts";
import { createPublisher } from "./publisher.ts";
import type { PublisherParts } from "./publisher.ts";
import { loggingErrors } from "./log-errors.ts";

export interface BundleServerParts extends BuilderParts, Pick<PublisherParts, "index" | "of" | "url"> {
  readonly port: number;
  readonly opsPort: number;
  /** The polling intervals for the builder and for the index, in milliseconds. */
  readonly polling: { readonly builder: number; readonly index: number };
}

export interface BundleServer {
  readonly port: number;
  readonly opsPort: number;
  /** Keeps serving for `delay` milliseconds, then accepts no new connections and waits for the running downloads. */
  stop(delay: number): Promise<void>;
}

/**
 * Starts the bundle server: it builds bundles, publishes their digests, and serves them. It is ready when it has a bundle.
 *
 * @throws if a port is in use
 */
export async function startBundleServer(parts: BundleServerParts): Promise<BundleServer> {
  const { store, metrics } = parts;
  const end = new AbortController();
  const downloads = createDownloads({ store, metrics, limits: downloadLimits });
  const ops = createOps({
    metrics,
    notReady: () => (store.newest() ? undefined : "no bundle yet: the first one is being built"),
  });
  const ports = await Promise.all([listen(downloads, parts.port), listen(ops, parts.opsPort)]);

  void poll(parts, end.signal);

  return {
    port: ports[0],
    opsPort: ports[1],
    async stop(delay) {
      end.abort(); // stops publishing: the next replica does that now
      await sleep(delay);
      const closed = [downloads, ops].map((server) => once(server, "close"));
      downloads.close();
      downloads.closeIdleConnections();
      ops.close();
      ops.closeAllConnections();
      await Promise.all(closed);
    },
  };
}

/** Polls index and builder until the signal. The index comes first, so that a bundle of another replica is not built again. */
async function poll(parts: BundleServerParts, signal: AbortSignal): Promise<void> {
  const { store, metrics, wanted, polling } = parts;
  const fetch = async (url: string) => fetchBundle(url, signal);
  const publish = loggingErrors(
    createPublisher({ ...parts, settings: () => wanted()?.settings, fetch }),
    parts.log,
    "the index cannot be synchronized; the published entry is not changed",
  );
  const build = createBuilder(parts);
  let published: string | undefined;
  let nextPublication = 0;
  while (!signal.aborted) {
    if (performance.now() >= nextPublication || store.newest()?.sha256 !== published) {
      await publish();
      published = store.newest()?.sha256;
      nextPublication = performance.now() + polling.index;
    }
    await build();
    const newest = store.newest();
    metrics.stored(newest && newest.built / 1000, store.bytes());
    await sleep(polling.builder, undefined, { signal }).catch(() => undefined); // aborted by the signal
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port);
  await once(server, "listening"); // throws the server's error
  return (server.address() as AddressInfo).port;
}
