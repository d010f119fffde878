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
import { quietly } from "./quietly.ts";

export interface BundleServerParts extends BuilderParts, Pick<PublisherParts, "index" | "of" | "url"> {
  readonly port: number;
  readonly opsPort: number;
  /** Milliseconds between two looks at the builder, and at the index. */
  readonly looks: { readonly builder: number; readonly index: number };
}

export interface BundleServer {
  readonly port: number;
  readonly opsPort: number;
  /** Goes on serving for `delay` milliseconds, takes no more connections then, and ends with the last download. */
  stop(delay: number): Promise<void>;
}

/**
 * The running bundle server: has bundles built, publishes their digests, and serves them. Ready when it has a bundle.
 *
 * @throws if a port is taken
 */
export async function startBundleServer(parts: BundleServerParts): Promise<BundleServer> {
  const { store, metrics } = parts;
  const end = new AbortController();
  const downloads = createDownloads({ store, metrics, limits: downloadLimits });
  const ops = createOps({ metrics, notReady: () => (store.newest() ? undefined : "no bundle yet: it is being built") });
  const ports = await Promise.all([listen(downloads, parts.port), listen(ops, parts.opsPort)]);

  void look(parts, end.signal);

  return {
    port: ports[0],
    opsPort: ports[1],
    async stop(delay) {
      end.abort(); // publishes nothing any more: another replica does by now
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

/** Looks at builder and index until the signal. The index comes first, so that what another replica has is not built again. */
async function look(parts: BundleServerParts, signal: AbortSignal): Promise<void> {
  const { store, metrics, wanted, looks } = parts;
  const fetch = async (url: string) => fetchBundle(url, signal);
  const publish = quietly(
    createPublisher({ ...parts, settings: () => wanted()?.settings, fetch }),
    parts.log,
    "the index cannot be kept; what is published stays as it is",
  );
  const build = createBuilder(parts);
  let published: string | undefined;
  let nextPublication = 0;
  while (!signal.aborted) {
    if (performance.now() >= nextPublication || store.newest()?.sha256 !== published) {
      await publish();
      published = store.newest()?.sha256;
      nextPublication = performance.now() + looks.index;
    }
    await build();
    const newest = store.newest();
    metrics.stored(newest && newest.built / 1000, store.bytes());
    await sleep(looks.builder, undefined, { signal }).catch(() => undefined); // ended by the signal
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port);
  await once(server, "listening"); // throws the server's error
  return (server.address() as AddressInfo).port;
}
