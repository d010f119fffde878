import type { Logger } from "../log.ts";
import type { Handover } from "./handover.ts";
import type { BundleMetrics } from "./metrics.ts";
import { quietly } from "./quietly.ts";
import { createSchedule } from "./schedule.ts";
import type { Store } from "./store.ts";

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

const minute = 60_000;
/** How long the builder's liveness probe is made to fail: the kubelet looks every ten seconds. */
const stopsFor = minute;
/** By how much the time in a bundle may differ from ours: one node has one clock. */
const tolerated = 5 * minute;

/**
 * Has bundles built when they are due. Whatever becomes of a build, the bundles in the store stay as they are.
 *
 * @returns the function that looks after it, to be called every second or so; it does not throw
 */
export function createBuilder(parts: BuilderParts): () => Promise<void> {
  const { handover, store, wanted, deadline, clock, log } = parts;
  const schedule = createSchedule(parts.interval);
  let build: Build | undefined;
  let isClear = false;
  let stopUntil: number | undefined = 0; // an earlier process may have stopped the builder

  async function begin(next: Wanted, now: number): Promise<void> {
    isClear = false;
    await handover.begin({ number: now, words: next.words });
    build = { ...next, number: now, began: now };
    log.info({ build: now, settings: next.settings }, "a bundle is being built");
  }

  async function follow(current: Build, now: number): Promise<void> {
    const outcome = await outcomeOf(current, parts).catch((error: Error) => ({
      reason: `what the builder left cannot be used: ${error.message}`,
    }));
    const isLate = outcome === undefined && now - current.began > deadline;
    if (outcome === undefined && !isLate) return;
    build = undefined;
    if (outcome === "ready") return schedule.succeeded();
    const pause = schedule.failed(current.settings, now);
    const reason = outcome?.reason ?? `it has taken longer than ${deadline / 1000} s, and is stopped`;
    parts.metrics.built(false, (now - current.began) / 1000);
    const kept = store.newest() ? "the last good bundle stays in use" : "there is no bundle to serve";
    log.error({ build: current.number, reason, retryInSeconds: pause / 1000 }, `a bundle could not be built; ${kept}`);
    if (!isLate) return;
    stopUntil = now + stopsFor;
    await handover.stop(true);
  }

  return quietly(
    async () => {
      const now = clock();
      if (build) return follow(build, now);
      if (!isClear) await handover.clear();
      isClear = true;
      if (stopUntil !== undefined) {
        if (now < stopUntil) return;
        await handover.stop(false);
        stopUntil = undefined;
      }
      const next = wanted();
      if (next && schedule.isDue(next.settings, store.newest(), now)) await begin(next, now);
    },
    log,
    "the builder's folder cannot be used",
  );
}

/**
 * Takes over what a build has left.
 *
 * @returns undefined while the build goes on, or "ready", or why it failed
 * @throws {Error} if it left what is no bundle of this build
 */
async function outcomeOf(build: Build, parts: BuilderParts): Promise<"ready" | { reason: string } | undefined> {
  const { handover, store, architecture, clock, log, metrics } = parts;
  const outcome = await handover.outcome(build.number);
  if (outcome?.kind !== "built") return outcome;
  const { sha256, bytes, packages } = await store.take(await outcome.open(), build.settings, (bundle) => {
    if (bundle.architecture !== architecture) {
      throw new Error(`it was built for ${bundle.architecture}, and not for ${architecture}`);
    }
    if (bundle.built < build.began - tolerated || bundle.built > clock() + tolerated) {
      throw new Error(`it says that it was built at ${new Date(bundle.built).toISOString()}, which is not when it was`);
    }
  });
  metrics.built(true, (clock() - build.began) / 1000);
  log.info({ build: build.number, sha256, bytes, packages: packages.length }, "a bundle is ready");
  return "ready";
}
