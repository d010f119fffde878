import { Manager } from "./manager.ts";
import type { ManagerParts } from "./manager.ts";
import type { ServingCertificate } from "../pair.ts";
import type { CertificateSource } from "../source.ts";

/** The maximum number of steps without a pause. After that, the next step waits for the interval. */
const maxImmediateSteps = 8;

/**
 * A certificate source that the replicas manage themselves. They keep the CA and the certificate in a Secret, and the
 * caBundle in a webhook configuration, which makes kube-apiserver trust the CA.
 *
 * After any error, it retries at the next interval. The current certificate stays in use. A replica without a certificate
 * is not ready.
 */
export function selfManagedSource(
  parts: ManagerParts & {
    /** The check interval in milliseconds, with a jitter of 20 %. */
    readonly interval: number;
  },
): CertificateSource {
  const { interval, log } = parts;
  let served = false;
  let stopped = false;
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let serving: ((pair: ServingCertificate) => void) | undefined;
  const manager = new Manager(parts, (pair) => {
    if (stopped) return;
    served = true;
    serving?.(pair);
  });

  async function look(): Promise<void> {
    try {
      for (let left = maxImmediateSteps; left > 0 && (await manager.step()) === "again";) left--;
      if (problem !== undefined) log.info("the certificate is managed again");
      problem = undefined;
    } catch (error) {
      // Not counted as a rejected certificate: the API server may be unavailable.
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
