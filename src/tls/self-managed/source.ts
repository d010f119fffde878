import { Manager } from "./manager.ts";
import type { ManagerParts } from "./manager.ts";
import type { Pair } from "../pair.ts";
import type { CertificateSource } from "../source.ts";

/** How often in a row a look may lead to the next at once, before it waits like any other. */
const inARow = 8;

/**
 * A certificate that the replicas make and keep themselves, in one Secret, and that they have kube-apiserver trust
 * through one webhook configuration.
 *
 * Whatever goes wrong, it goes on looking: what is served stays, and with nothing to serve the replica is not ready.
 */
export function selfManagedSource(
  parts: ManagerParts & {
    /** Milliseconds between two looks, give or take a fifth. */
    readonly interval: number;
  },
): CertificateSource {
  const { interval, log } = parts;
  let served = false;
  let stopped = false;
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let serving: ((pair: Pair) => void) | undefined;
  const manager = new Manager(parts, (pair) => {
    if (stopped) return;
    served = true;
    serving?.(pair);
  });

  async function look(): Promise<void> {
    try {
      for (let left = inARow; left > 0 && (await manager.step()) === "again";) left--;
      if (problem !== undefined) log.info("the certificate is managed again");
      problem = undefined;
    } catch (error) {
      // The API server may be away; no certificate was refused by that.
      const reason = (error as Error).message;
      if (reason !== problem && !stopped) {
        const kept = served ? "the one in use stays" : "there is none to serve";
        log.error({ reason }, `cannot manage the certificate; ${kept}`);
      }
      problem = reason;
    }
    if (!stopped) timer = setTimeout(look, interval * (0.8 + 0.4 * Math.random())).unref();
  }

  return {
    async start(serve) {
      serving = serve;
      void look();
    },
    now: () => manager.now(),
    missing: () => problem ?? "no certificate yet: it is being made",
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
