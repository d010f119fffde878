import type { Logger } from "../log.ts";
import type { Handover } from "./handover.ts";
import type { BundleMetrics } from "./metrics.ts";
import { loggingErrors } from "./log-errors.ts";
import { createSchedule } from "./schedule.ts";
import type { Store } from "./store.ts";

/** The bundle to build, according to the current configuration. */
export interface Wanted {
  /** The arguments of install-packages.sh. */
  readonly words: readonly string[];
  /** Their digest. The webhook offers a bundle to pods with the same digest. */
  readonly settings: string;
}

export interface BuilderParts {
  readonly handover: Handover;
  readonly store: Store;
  /** Returns undefined if there is nothing to build. */
  readonly wanted: () => Wanted | undefined;
  readonly architecture: string;
  /** The interval between builds, in milliseconds. */
  readonly interval: number;
  /** The maximum duration of a build, in milliseconds. */
  readonly deadline: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: BundleMetrics;
}

interface Build extends Wanted {
  readonly number: number;
  readonly startedAt: number;
}

const minute = 60_000;
/** How long the builder's liveness probe fails to stop it. The kubelet probes every ten seconds. */
const stopDuration = minute;
/** The tolerated clock difference between the builder and this process. Both run on the same node. */
const clockTolerance = 5 * minute;

/**
 * Starts a build when one is due, and stores the bundle. A build that fails does not change the store.
 *
 * @returns a function that carries out the next step. Call it about once a second; it does not throw
 */
export function createBuilder(parts: BuilderParts): () => Promise<void> {
  const { handover, store, wanted, deadline, clock, log } = parts;
  const schedule = createSchedule(parts.interval);
  let build: Build | undefined;
  let isCleared = false;
  let stopUntil: number | undefined = 0; // an earlier process may have left the stop file

  async function begin(next: Wanted, now: number): Promise<void> {
    isCleared = false;
    await handover.begin({ number: now, words: next.words });
    build = { ...next, number: now, startedAt: now };
    log.info({ build: now, settings: next.settings }, "building a bundle");
  }

  async function follow(current: Build, now: number): Promise<void> {
    const outcome = await outcomeOf(current, parts).catch((error: Error) => ({
      reason: `the builder's result is not usable: ${error.message}`,
    }));
    const isLate = outcome === undefined && now - current.startedAt > deadline;
    if (outcome === undefined && !isLate) return;
    build = undefined;
    if (outcome === "ready") return schedule.succeeded();
    const pause = schedule.failed(current.settings, now);
    const reason = outcome?.reason ?? `the build took longer than ${deadline / 1000} s and was stopped`;
    parts.metrics.built(false, (now - current.startedAt) / 1000);
    const consequence = store.newest() ? "the last good bundle stays in use" : "there is no bundle to serve";
    log.error(
      { build: current.number, reason, retryInSeconds: pause / 1000 },
      `building a bundle failed; ${consequence}`,
    );
    if (!isLate) return;
    stopUntil = now + stopDuration;
    await handover.stop(true);
  }

  return loggingErrors(
    async () => {
      const now = clock();
      if (build) return follow(build, now);
      if (!isCleared) await handover.clear();
      isCleared = true;
      if (stopUntil !== undefined) {
        if (now < stopUntil) return;
        await handover.stop(false);
        stopUntil = undefined;
      }
      const next = wanted();
      if (next && schedule.isDue(next.settings, store.newest(), now)) await begin(next, now);
    },
    log,
    "the builder's directory cannot be used",
  );
}

/**
 * Moves the result of a build into the store.
 *
 * @returns "ready", or why the build failed; undefined while it runs
 * @throws {Error} if the result is not a bundle of this build
 */
async function outcomeOf(build: Build, parts: BuilderParts): Promise<"ready" | { reason: string } | undefined> {
  const { handover, store, architecture, clock, log, metrics } = parts;
  const outcome = await handover.outcome(build.number);
  if (outcome?.kind !== "built") return outcome;
  const { sha256, bytes, packages } = await store.add(await outcome.open(), build.settings, (bundle) => {
    if (bundle.architecture !== architecture) {
      throw new Error(`it was built for ${bundle.architecture} instead of ${architecture}`);
    }
    if (bundle.built < build.startedAt - clockTolerance || bundle.built > clock() + clockTolerance) {
      throw new Error(`its build time, ${new Date(bundle.built).toISOString()}, is not during this build`);
    }
  });
  metrics.built(true, (clock() - build.startedAt) / 1000);
  log.info({ build: build.number, sha256, bytes, packages: packages.length }, "a bundle is ready");
  return "ready";
}
