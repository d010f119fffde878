import type { Logger } from "../log.ts";

/** Runs a step that comes again and again. Its error is in the log once, however often in a row it comes. */
export function quietly(step: () => Promise<void>, log: Logger, what: string): () => Promise<void> {
  let said: string | undefined;
  return async () => {
    try {
      await step();
      said = undefined;
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== said) log.error({ reason }, what);
      said = reason;
    }
  };
}
