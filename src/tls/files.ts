import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";
import { checkServingCertificate } from "./serving-certificate.ts";
import type { CertificateSource } from "./source.ts";

/** Reads the certificate and key from two files that are managed elsewhere, such as a Secret from cert-manager. */
export function filesSource(parts: {
  certFile: string;
  keyFile: string;
  /** The poll interval in milliseconds. */
  interval: number;
  log: Logger;
  metrics: Metrics;
}): CertificateSource {
  const { certFile, keyFile, interval, log, metrics } = parts;
  let lastError: string | undefined;
  let served = false;
  let watcher: { stop: () => void } | undefined;

  return {
    async start(serve) {
      watcher = await watchFiles([certFile, keyFile], interval, (contents) => {
        try {
          if (contents instanceof Error) throw contents;
          const [cert = "", key = ""] = contents;
          serve(checkServingCertificate(cert, key, Date.now()));
        } catch (error) {
          // Check again even if the files do not change, because the certificate may become valid soon.
          const reason = (error as Error).message;
          if (reason !== lastError) {
            metrics.reload("certificate", false);
            const consequence = served ? "the current one stays in use" : "no certificate is served yet";
            log.error({ certFile, keyFile, reason }, `invalid certificate rejected; ${consequence}`);
          }
          lastError = reason;
          return "again";
        }
        lastError = undefined;
        served = true;
        metrics.reload("certificate", true);
        return undefined;
      });
    },
    missing: () => `no usable certificate in ${certFile} and ${keyFile} yet`,
    stop: () => watcher?.stop(),
  };
}
