import type { Logger } from "../log.ts";

/** Wraps a step that runs repeatedly. It logs an error, but not the same error twice in a row. */
export function loggingErrors(step: () => Promise<void>, log: Logger, what: string): () => Promise<void> {
  let logged: string | undefined;
  return async () => {
    try {
      await step();
      logged = undefined;
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== logged) log.error({ reason }, what);
      logged = reason;
    }
  };
}
