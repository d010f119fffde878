import type { Pair } from "./pair.ts";

/** Where the serving certificate comes from. The server asks nothing else, so every source is served the same way. */
export interface CertificateSource {
  /**
   * Begins to look, now and again. Does not wait for a certificate to be found.
   *
   * @param serve is given each pair that is to be served from then on
   */
  start(serve: (pair: Pair) => void): Promise<void>;
  /** Why there was nothing to serve so far, for readiness. */
  missing(): string;
  /** The time by which to judge what it gives, if the machine's clock is not it. Milliseconds since 1970. */
  now?(): number;
  stop(): void;
}
