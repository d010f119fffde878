import { X509Certificate } from "node:crypto";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";

/** The authority whose certificates clients must have: PEM, as read last, followed as its file changes. */
export interface ClientAuthority {
  readonly pem: string;
  /** @param use is given each later text */
  follow(use: (pem: string) => void): void;
  stop(): void;
}

/**
 * Reads the authority of clients from a file, and goes on watching it.
 *
 * @throws if the file holds no certificate at the start; later that only leaves the last good one in force
 */
export async function clientAuthority(parts: {
  file: string;
  /** Milliseconds between two looks at the file. */
  interval: number;
  log: Logger;
  metrics: Metrics;
}): Promise<ClientAuthority> {
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
      log.info({ file, fingerprint, validTo }, "clients must have a certificate of this CA");
      use?.(pem);
    } catch (error) {
      const reason = (error as Error).message;
      if (pem === undefined) throw new Error(`${file} holds no CA for clients: ${reason}`, { cause: error });
      metrics.reload("client-ca", false);
      log.error({ file, reason }, "CA for clients refused; the last good one stays in force");
    }
    return undefined;
  });
  return { pem: pem!, follow: (next) => void (use = next), stop: () => watcher.stop() };
}
