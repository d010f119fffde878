import { setTimeout as sleep } from "node:timers/promises";
import type { Admit } from "../admission/admit.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchFiles } from "../watch.ts";
import { createOpsApp, createWebhookApp } from "./app.ts";
import { checkPair, invalidity } from "./certs.ts";
import type { Pair } from "./certs.ts";
import { startServers } from "./server.ts";
import type { Addresses } from "./server.ts";

export interface WebhookParts extends Addresses {
  readonly admit: Admit;
  readonly certFile: string;
  readonly keyFile: string;
  /** Milliseconds between two looks at the files. */
  readonly watchInterval: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Webhook {
  readonly port: number;
  readonly opsPort: number;
  /**
   * Ends it in order: readiness goes first; after `delay` milliseconds, in which the Service's endpoints follow and
   * reviews are still answered, the listeners close.
   */
  stop(delay: number): Promise<void>;
}

/** The running webhook: both listeners, and the certificate, watched and swapped. Ready while its certificate is valid. */
export async function startWebhook(parts: WebhookParts): Promise<Webhook> {
  const { admit, log, metrics } = parts;
  let pair: Pair | undefined;
  let draining = false;

  const notReady = () => {
    if (draining) return "shutting down";
    return pair ? invalidity(pair, Date.now()) : `no usable certificate in ${parts.certFile} and ${parts.keyFile} yet`;
  };
  const servers = await startServers(
    createWebhookApp({ admit, log, metrics, draining: () => draining }),
    createOpsApp({ metrics, notReady }),
    parts,
  );

  let refusal: string | undefined;
  const watcher = await watchFiles([parts.certFile, parts.keyFile], parts.watchInterval, (contents) => {
    try {
      if (contents instanceof Error) throw contents;
      const [cert = "", key = ""] = contents;
      pair = checkPair(cert, key, Date.now());
    } catch (error) {
      // Looked at again even if the files stay: a certificate can be one that is valid only in a moment.
      const reason = (error as Error).message;
      if (reason !== refusal) {
        metrics.reload("certificate", false);
        const kept = pair ? "the one in use stays" : "there is none to serve";
        log.error({ certFile: parts.certFile, keyFile: parts.keyFile, reason }, `certificate refused; ${kept}`);
      }
      refusal = reason;
      return "again";
    }
    refusal = undefined;
    servers.swap(pair);
    metrics.certificateExpiry(pair.validTo / 1000);
    metrics.reload("certificate", true);
    log.info({ validTo: new Date(pair.validTo).toISOString() }, "serving a new certificate");
    return undefined;
  });

  return {
    port: servers.port,
    opsPort: servers.opsPort,
    async stop(delay) {
      draining = true;
      log.info({ delay }, "shutting down");
      await sleep(delay);
      watcher.stop();
      await servers.close();
    },
  };
}
