import { defaultConfig, parseWithWarnings } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";

/**
 * The configuration in force, following its file.
 *
 * @param fallback is in force until the file is valid for the first time
 * @throws {ConfigError} if the file is invalid at the start and there is no fallback; later an invalid one leaves the last good one in force
 */
export async function watchedConfig(
  file: string | undefined,
  interval: number,
  log: Logger,
  metrics: Pick<Metrics, "reload">,
  fallback?: Config,
): Promise<() => Config> {
  if (file === undefined) return () => defaultConfig;
  let current = fallback;
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
