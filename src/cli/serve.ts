import { createAdmit } from "../webhook/admit.ts";
import { defaultConfig, parseWithWarnings } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { startWebhook } from "../webhook/webhook.ts";
import { createPrime } from "../engine/prime.ts";
import { createLogger } from "../log.ts";
import type { Logger, logLevels } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import type { Metrics } from "../metrics.ts";
import { mutations } from "../mutations/index.ts";
import { watchFiles } from "../watch.ts";
import { certificateSource, clientsOf } from "./tls-options.ts";
import type { TlsOptions } from "./tls-options.ts";

export interface ServeOptions extends TlsOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port: number;
  readonly opsPort: number;
  readonly opsHost?: string;
  /** Milliseconds. */
  readonly shutdownDelay: number;
  readonly logLevel: (typeof logLevels)[number];
}

/**
 * `arc-primer serve`: the webhook, until SIGTERM or SIGINT.
 *
 * @throws {ConfigError} if the configuration file is invalid at the start; later an invalid one only leaves the last good
 *   one in force. Also throws if a port is taken.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const log = createLogger(options.logLevel);
  const metrics = createMetrics({ processMetrics: true });
  // Signals first: one that comes while the rest starts must not be lost.
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, resolve);
  });
  const config = await watchedConfig(options.config, options.watchInterval, log, metrics);
  const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
  const clock = () => performance.now();
  const webhook = await startWebhook({
    admit: createAdmit({ config, prime, log, metrics, clock }),
    certificates: await certificateSource(options, { log, metrics }),
    clients: await clientsOf(options, { log, metrics }),
    ...(options.host !== undefined && { host: options.host }),
    port: options.port,
    opsPort: options.opsPort,
    opsHost: options.opsHost,
    log,
    metrics,
  });
  log.info({ version: ARC_PRIMER_VERSION, port: webhook.port, opsPort: webhook.opsPort }, "listening");
  // Ctrl-C is somebody at a terminal: no endpoints have to follow.
  await webhook.stop((await signal) === "SIGTERM" ? options.shutdownDelay : 0);
  log.info("stopped");
}

/** The configuration in force, following its file. */
async function watchedConfig(
  file: string | undefined,
  interval: number,
  log: Logger,
  metrics: Metrics,
): Promise<() => Config> {
  if (file === undefined) return () => defaultConfig;
  let current: Config | undefined;
  await watchFiles([file], interval, (contents) => {
    try {
      if (contents instanceof Error) throw contents;
      const { config, warnings } = parseWithWarnings(contents[0] ?? "", file);
      current = config;
      metrics.reload("config", true);
      log.info({ file, mode: current.mode, profiles: Object.keys(current.profiles) }, "configuration read");
      for (const warning of warnings) log.warn({ warning }, "configuration");
    } catch (error) {
      if (!current) throw error;
      metrics.reload("config", false);
      log.error({ file, reason: (error as Error).message }, "configuration refused; the last good one stays in force");
    }
    return undefined;
  });
  return () => current!;
}
