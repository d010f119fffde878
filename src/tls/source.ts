import type { ServingCertificate } from "./serving-certificate.ts";

/** A source of the serving certificate. The server depends only on this interface. */
export interface CertificateSource {
  /**
   * Starts to check for certificates periodically. Does not wait until there is one.
   *
   * @param serve called with each new certificate and key to serve
   */
  start(serve: (pair: ServingCertificate) => void): Promise<void>;
  /** The reason why there is no certificate yet, for the readiness probe. */
  missing(): string;
  /** The time for checking validity, if it differs from the system clock. In milliseconds since 1970. */
  now?(): number;
  stop(): void;
}
