/** Decides when to build. Times are in milliseconds since 1970. */
export interface Schedule {
  /** @param newest the newest bundle, if there is one */
  isDue(settings: string, newest: { settings: string; built: number } | undefined, now: number): boolean;
  /** A build of these settings has failed. Returns the milliseconds until the next attempt. */
  failed(settings: string, now: number): number;
  succeeded(): void;
}

/** The delay after the first failure. It doubles with each failure, up to the interval. Changed settings are built at once. */
const firstPause = 300_000;

/** A build is due if there is no bundle of the current settings, or if the newest bundle is older than `interval`. */
export function createSchedule(interval: number): Schedule {
  let failures: { settings: string; count: number; retryAt: number } | undefined;
  return {
    isDue(settings, newest, now) {
      if (failures?.settings === settings && now < failures.retryAt) return false;
      return newest?.settings !== settings || now - newest.built >= interval;
    },
    failed(settings, now) {
      const count = failures?.settings === settings ? failures.count + 1 : 1;
      const pause = Math.min(firstPause * 2 ** (count - 1), interval);
      failures = { settings, count, retryAt: now + pause };
      return pause;
    },
    succeeded() {
      failures = undefined;
    },
  };
}
