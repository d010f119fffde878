import pino from "pino";
import type { DestinationStream, Logger } from "pino";

export type { Logger };
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

let shared: DestinationStream | undefined; // a process has one standard output

/** One JSON object a line, on standard output. */
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
 * What is logged in one turn of the event loop is written together, at the turn's end: a write for each line takes more
 * time than to make the line. What is left when the process ends, by an uncaught error as well, is written then.
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
    output.flushSync(); // which ends in a call of fsync: not for every turn
  });
  return {
    write(line) {
      if (!lines) setImmediate(flush);
      lines += line;
    },
  };
}
