import { Manager } from "./manager.ts";
import type { ManagerParts } from "./manager.ts";
import type { ServingCertificate } from "../serving-certificate.ts";
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

  async function check(): Promise<void> {
    try {
      for (let stepsLeft = maxImmediateSteps; stepsLeft > 0 && (await manager.step()) === "again";) stepsLeft--;
      if (problem !== undefined) log.info("certificate management works again");
      problem = undefined;
    } catch (error) {
      // Not counted as a rejected certificate: the API server may be unavailable.
      const reason = (error as Error).message;
      if (reason !== problem && !stopped) {
        const consequence = served ? "the current one stays in use" : "no certificate is served yet";
        log.error({ reason }, `cannot manage the certificate; ${consequence}`);
      }
      problem = reason;
    }
    if (!stopped) timer = setTimeout(check, interval * (0.8 + 0.4 * Math.random())).unref();
  }

  return {
    async start(serve) {
      serving = serve;
      void check();
    },
    now: () => manager.now(),
    missing: () => problem ?? "no certificate yet: it is being created",
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
