/** When to build. Times are milliseconds since 1970. */
export interface Schedule {
  /** @param newest the newest bundle that there is */
  isDue(settings: string, newest: { settings: string; built: number } | undefined, now: number): boolean;
  /** A build of these settings has failed. Returns the milliseconds until the next try. */
  failed(settings: string, now: number): number;
  succeeded(): void;
}

/** From a failure to the next try; doubled with each one that follows, up to the interval. Other settings are tried at once. */
const firstPause = 300_000;

/** A build is due when there is no bundle of the settings in force, and whenever the newest is an `interval` old. */
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
