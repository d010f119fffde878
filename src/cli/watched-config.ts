import { defaultConfig, parseWithWarnings } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";

/**
 * Reads the configuration from a file, and again whenever the file changes. If it becomes invalid, the change is rejected,
 * and the last valid configuration stays in effect.
 *
 * @param file without it, the built-in default is used
 * @param fallback the configuration until the file is valid for the first time
 * @returns a function that returns the current configuration
 * @throws {ConfigError} if the file is invalid at startup and there is no fallback
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
      for (const warning of warnings) log.warn({ warning }, "configuration warning");
    } catch (error) {
      if (!current) throw error;
      metrics.reload("config", false);
      log.error(
        { file, reason: (error as Error).message },
        "invalid configuration rejected; the last valid one stays in effect",
      );
    }
    return undefined;
  });
  return () => current!;
}
