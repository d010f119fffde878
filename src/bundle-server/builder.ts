import type { Logger } from "../log.ts";
import type { Handover } from "./handover.ts";
import type { BundleMetrics } from "./metrics.ts";
import type { Store, Stored } from "./store.ts";

/** What is to be built, by the configuration in force. */
export interface Wanted {
  /** The words of install-packages.sh. */
  readonly words: readonly string[];
  /** Their digest, by which pods and bundles find each other. */
  readonly settings: string;
}

export interface BuilderParts {
  readonly handover: Handover;
  readonly store: Store;
  /** Undefined while there is nothing to build. */
  readonly wanted: () => Wanted | undefined;
  readonly architecture: string;
  /** Milliseconds from one bundle to the next. */
  readonly interval: number;
  /** Milliseconds that a build may take, from its plan to its bundle. */
  readonly deadline: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: BundleMetrics;
}

interface Build extends Wanted {
  readonly number: number;
  readonly began: number;
}

interface Failures {
  readonly settings: string;
  readonly count: number;
  readonly retryAt: number;
}

const minute = 60_000;
/** From a failure to the next try; doubled with each one that follows, up to the interval. */
const firstPause = 5 * minute;
/** How long the builder's liveness probe is made to fail: the kubelet looks every ten seconds. */
const stopsFor = minute;
/** By how much the time in a bundle may differ from ours: one node has one clock. */
const tolerated = 5 * minute;

/**
 * Has bundles built: when there is none of the settings in force, and whenever the newest is an `interval` old. Whatever a
 * build does, the bundles in the store stay as they are.
 *
 * @returns the function that looks after it, to be called every second or so; it does not throw
 */
export function createBuilder(parts: BuilderParts): () => Promise<void> {
  const { handover, store, wanted, architecture, interval, deadline, clock, log, metrics } = parts;
  let build: Build | undefined;
  let failures: Failures | undefined;
  let isClear = false;
  let stopUntil: number | undefined = 0; // an earlier process may have stopped the builder

  function isDue({ settings }: Wanted, now: number): boolean {
    if (failures?.settings === settings && now < failures.retryAt) return false;
    const newest = store.newest();
    return newest?.settings !== settings || now - newest.built >= interval;
  }

  async function begin(next: Wanted, now: number): Promise<void> {
    build = { ...next, number: now, began: now };
    isClear = false;
    await handover.begin({ number: now, words: next.words });
    log.info({ build: now, settings: next.settings }, "a bundle is being built");
  }

  function failed({ number, settings, began }: Build, reason: string, now: number): void {
    const count = failures?.settings === settings ? failures.count + 1 : 1;
    const pause = Math.min(firstPause * 2 ** (count - 1), interval);
    failures = { settings, count, retryAt: now + pause };
    build = undefined;
    metrics.built(false, (now - began) / 1000);
    const kept = store.newest() ? "the last good bundle stays in use" : "there is no bundle to serve";
    log.error({ build: number, reason, retryInSeconds: pause / 1000 }, `a bundle could not be built; ${kept}`);
  }

  function check({ built, architecture: found }: Stored, { began }: Build): void {
    if (found !== architecture) throw new Error(`it was built for ${found}, and not for ${architecture}`);
    if (built < began - tolerated || built > clock() + tolerated) {
      throw new Error(`it says that it was built at ${new Date(built).toISOString()}, which is not when it was`);
    }
  }

  async function follow(current: Build, now: number): Promise<void> {
    try {
      const outcome = await handover.outcome(current.number);
      if (outcome?.kind === "built") {
        const bundle = await store.take(await outcome.open(), current.settings, (one) => check(one, current));
        [build, failures] = [undefined, undefined];
        metrics.built(true, (now - current.began) / 1000);
        const { sha256, bytes, packages } = bundle;
        log.info({ build: current.number, sha256, bytes, packages: packages.length }, "a bundle is ready");
      } else if (outcome) {
        failed(current, outcome.reason, now);
      } else if (now - current.began > deadline) {
        stopUntil = now + stopsFor;
        await handover.stop(true);
        failed(current, `it has taken longer than ${deadline / 1000} s, and was stopped`, now);
      }
    } catch (error) {
      failed(current, `what the builder left cannot be used: ${(error as Error).message}`, now);
    }
  }

  async function look(): Promise<void> {
    const now = clock();
    if (build) return follow(build, now);
    if (!isClear) {
      await handover.clear();
      isClear = true;
    }
    if (stopUntil !== undefined && now >= stopUntil) {
      await handover.stop(false);
      stopUntil = undefined;
    }
    const next = wanted();
    if (next && stopUntil === undefined && isDue(next, now)) await begin(next, now);
  }

  let said: string | undefined;
  return async () => {
    try {
      await look();
      said = undefined;
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== said) log.error({ reason }, "the builder's folder cannot be used");
      said = reason;
    }
  };
}
