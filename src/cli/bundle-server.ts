import { configMapIndex } from "../bundle-server/config-map.ts";
import type { IndexKey } from "../bundle-server/config-map.ts";
import { createHandover } from "../bundle-server/handover.ts";
import { createBundleMetrics } from "../bundle-server/metrics.ts";
import { startBundleServer } from "../bundle-server/server.ts";
import { openStore } from "../bundle-server/store.ts";
import { defaultConfig } from "../config/load.ts";
import { createLogger } from "../log.ts";
import type { logLevels } from "../log.ts";
import { scripts } from "../scripts/index.ts";
import { connect } from "../tls/self-managed/connection.ts";
import { wantedBundle } from "./wanted-bundle.ts";
import { watchedConfig } from "./watched-config.ts";

/** The options of `bundle-server`. All times are in milliseconds. */
export interface BundleServerOptions {
  readonly config?: string;
  readonly profile: string;
  readonly image: string;
  readonly architecture: string;
  readonly handover: string;
  readonly store: string;
  /** In bytes. */
  readonly sizeLimit: number;
  readonly index: IndexKey;
  readonly url: string;
  readonly interval: number;
  readonly buildTimeout: number;
  readonly port: number;
  readonly opsPort: number;
  readonly shutdownDelay: number;
  readonly watchInterval: number;
  readonly indexInterval: number;
  readonly logLevel: (typeof logLevels)[number];
}

/**
 * `arc-primer bundle-server`: runs the bundle server until SIGTERM or SIGINT.
 *
 * If the configuration is invalid at startup, the server serves existing bundles. It builds bundles only after the
 * configuration has become valid.
 *
 * @throws if a port is in use, or the store cannot be opened
 */
export async function bundleServer(options: BundleServerOptions): Promise<void> {
  const { profile, image, architecture, interval, buildTimeout } = options;
  const of = { profile, image, architecture };
  const log = createLogger(options.logLevel);
  const metrics = createBundleMetrics(of, { interval, processMetrics: true });
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, resolve);
  });
  const config = await watchedConfig(options.config, options.watchInterval, log, metrics, defaultConfig);
  // If the volume exceeds its limit, the kubelet evicts the pod, and all bundles are lost.
  const limit = Math.floor(options.sizeLimit * 0.9);
  const store = await openStore({ directory: options.store, limit, clock: Date.now });
  const server = await startBundleServer({
    of,
    architecture,
    interval,
    deadline: buildTimeout + 60_000, // includes the time until the builder starts and until its result is noticed
    wanted: wantedBundle({ config, profile, timeout: buildTimeout, largest: store.maxSize, log }),
    store,
    handover: createHandover(options.handover, {
      builder: scripts["build-bundle.sh"],
      installer: scripts["install-packages.sh"],
    }),
    index: configMapIndex(await connect(), options.index, log),
    url: options.url.replace(/\/$/, ""),
    port: options.port,
    opsPort: options.opsPort,
    polling: { builder: options.watchInterval, index: options.indexInterval },
    clock: Date.now,
    log,
    metrics,
  });
  log.info({ version: ARC_PRIMER_VERSION, ...of, port: server.port, opsPort: server.opsPort }, "listening");
  await server.stop((await signal) === "SIGTERM" ? options.shutdownDelay : 0);
  log.info("stopped");
}
