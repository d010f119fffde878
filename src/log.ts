import pino from "pino";
import type { DestinationStream, Logger } from "pino";

export type { Logger };
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

let shared: DestinationStream | undefined; // shared, because a process has one standard output

/** Creates a logger that writes one JSON object per line, by default to standard output. */
export function createLogger(level: (typeof logLevels)[number], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination ?? (shared ??= standardOutput()));
}

/**
 * Buffers the lines that are logged in one turn of the event loop and writes them at the end of the turn: one write per
 * line takes longer than formatting the line. The rest is written when the process exits, also after an uncaught error.
 */
function standardOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true });
  let lines = "";
  const flush = () => {
    if (lines) output.write(lines);
    lines = "";
  };
  process.once("exit", () => {
    flush();
    output.flushSync(); // calls fsync, which is too slow to do in every turn
  });
  return {
    write(line) {
      if (!lines) setImmediate(flush);
      lines += line;
    },
  };
}
