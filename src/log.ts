import pino from "pino";
import type { DestinationStream, Logger } from "pino";

export type { Logger };
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

/** One JSON object a line, on standard output. Written at once, so that nothing is lost when the process ends. */
export function createLogger(level: (typeof logLevels)[number], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
}
