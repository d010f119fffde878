import { X509Certificate } from "node:crypto";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";

/** The CA that must have signed the certificates of clients. */
export interface ClientCA {
  /** The last valid version from the file. */
  readonly pem: string;
  /** @param use called with each new version of the CA */
  follow(use: (pem: string) => void): void;
  stop(): void;
}

/**
 * Reads the client CA from a file and watches the file for changes.
 *
 * @throws if the file contains no certificate at startup. A later invalid version is rejected, and the last valid one
 *   stays in effect
 */
export async function watchClientCA(parts: {
  file: string;
  /** The poll interval in milliseconds. */
  interval: number;
  log: Logger;
  metrics: Metrics;
}): Promise<ClientCA> {
  const { file, interval, log, metrics } = parts;
  let pem: string | undefined;
  let use: ((pem: string) => void) | undefined;

  const watcher = await watchFiles([file], interval, (contents) => {
    try {
      if (contents instanceof Error) throw contents;
      const [text = ""] = contents;
      const { fingerprint256: fingerprint, validTo } = new X509Certificate(text);
      pem = text;
      metrics.reload("client-ca", true);
      log.info({ file, fingerprint, validTo }, "clients must present a certificate signed by this CA");
      use?.(pem);
    } catch (error) {
      const reason = (error as Error).message;
      if (pem === undefined) throw new Error(`${file} contains no usable client CA: ${reason}`, { cause: error });
      metrics.reload("client-ca", false);
      log.error({ file, reason }, "invalid client CA rejected; the last valid one stays in effect");
    }
    return undefined;
  });
  return { pem: pem!, follow: (next) => void (use = next), stop: () => watcher.stop() };
}
