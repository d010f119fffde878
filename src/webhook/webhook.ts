import { setTimeout as sleep } from "node:timers/promises";
import type { Admit } from "./admit.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { invalidReason } from "../tls/serving-certificate.ts";
import type { ServingCertificate } from "../tls/serving-certificate.ts";
import type { CertificateSource } from "../tls/source.ts";
import { createOpsApp, createWebhookApp } from "./routes.ts";
import { startServers } from "./listeners.ts";
import type { Addresses } from "./listeners.ts";
import type { ClientCA } from "../tls/client-ca.ts";

export interface WebhookParts extends Addresses {
  readonly admit: Admit;
  readonly certificates: CertificateSource;
  /** The CA for client certificates. Without it, clients need no certificate. */
  readonly clients?: ClientCA | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Webhook {
  readonly port: number;
  readonly opsPort: number;
  /**
   * Shuts down gracefully. First the readiness probe fails. During the next `delay` milliseconds, reviews are still
   * answered while the Service's endpoints are updated. Then the listeners are closed.
   */
  stop(delay: number): Promise<void>;
}

/** Starts both listeners. The certificate can be replaced at run time. The webhook is ready while the certificate is valid. */
export async function startWebhook(parts: WebhookParts): Promise<Webhook> {
  const { admit, certificates, clients, log, metrics } = parts;
  let certificate: ServingCertificate | undefined;
  let draining = false;

  const notReady = () => {
    if (draining) return "shutting down";
    return certificate ? invalidReason(certificate, certificates.now?.() ?? Date.now()) : certificates.missing();
  };
  const servers = await startServers(
    createWebhookApp({ admit, log, metrics, draining: () => draining }),
    createOpsApp({ metrics, notReady }),
    { ...parts, clientCA: clients?.pem },
  );
  clients?.follow((pem) => servers.setClientCA(pem));

  await certificates.start((next) => {
    servers.setCertificate(next);
    certificate = next;
    metrics.certificateExpiry(next.validTo / 1000);
    log.info({ validTo: new Date(next.validTo).toISOString() }, "serving a new certificate");
  });

  return {
    port: servers.port,
    opsPort: servers.opsPort,
    async stop(delay) {
      draining = true;
      log.info({ delay }, "shutting down");
      await sleep(delay);
      certificates.stop();
      clients?.stop();
      await servers.close();
    },
  };
}
