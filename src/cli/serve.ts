import { createAdmit } from "../webhook/admit.ts";
import { startWebhook } from "../webhook/webhook.ts";
import { createPrime } from "../engine/prime.ts";
import { createLogger } from "../log.ts";
import type { logLevels } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { mutations } from "../mutations/index.ts";
import { certificateSource, clientCAOf } from "./tls-options.ts";
import type { TlsOptions } from "./tls-options.ts";
import { watchedBundles } from "./watched-bundles.ts";
import { watchedConfig } from "./watched-config.ts";

export interface ServeOptions extends TlsOptions {
  readonly config?: string;
  /** The directory where the index of package bundles is mounted. */
  readonly bundles?: string;
  readonly host?: string;
  readonly port: number;
  readonly opsPort: number;
  readonly opsHost?: string;
  /** In milliseconds. */
  readonly shutdownDelay: number;
  readonly logLevel: (typeof logLevels)[number];
}

/**
 * `arc-primer serve`: runs the webhook until SIGTERM or SIGINT.
 *
 * @throws {ConfigError} if the configuration file is invalid at startup. If it becomes invalid later, the change is
 *   rejected, and the last valid configuration stays in effect
 * @throws if a port is in use
 */
export async function serve(options: ServeOptions): Promise<void> {
  const log = createLogger(options.logLevel);
  const metrics = createMetrics({ processMetrics: true });
  // Install the signal handlers first: a signal that arrives during startup must not be lost.
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, resolve);
  });
  const config = await watchedConfig(options.config, options.watchInterval, log, metrics);
  const bundles = await watchedBundles(options.bundles, options.watchInterval, log, metrics);
  const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
  const clock = () => performance.now();
  const webhook = await startWebhook({
    admit: createAdmit({ config, bundles, prime, log, metrics, clock }),
    certificates: await certificateSource(options, { log, metrics }),
    clients: await clientCAOf(options, { log, metrics }),
    ...(options.host !== undefined && { host: options.host }),
    port: options.port,
    opsPort: options.opsPort,
    opsHost: options.opsHost,
    log,
    metrics,
  });
  log.info({ version: ARC_PRIMER_VERSION, port: webhook.port, opsPort: webhook.opsPort }, "listening");
  // SIGINT comes from Ctrl-C in a terminal, where no endpoints have to be updated. So the port is closed without delay.
  await webhook.stop((await signal) === "SIGTERM" ? options.shutdownDelay : 0);
  log.info("stopped");
}
