import { X509Certificate, createPrivateKey } from "node:crypto";
import { createSecureContext } from "node:tls";

/** A serving certificate (with its chain) and its private key, both in PEM. They have been checked to match. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
  readonly validFrom: number;
  readonly validTo: number;
}

/**
 * Validates a certificate and key before they are used.
 *
 * @param now milliseconds since 1970
 * @throws {Error} if the input is not PEM, the key does not match, or the certificate has expired or is not valid yet
 */
export function checkServingCertificate(cert: string, key: string, now: number): ServingCertificate {
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error("the private key does not match the certificate");
  createSecureContext({ cert, key }); // validates the chain, too
  const { validFrom, validTo } = certificate;
  const pair = { cert, key, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) };
  const reason = invalidReason(pair, now);
  if (reason) throw new Error(reason);
  return pair;
}

/** The reason why the certificate is not valid at the given time, if there is one. */
export function invalidReason({ validFrom, validTo }: ServingCertificate, now: number): string | undefined {
  if (now < validFrom) return `the certificate is not valid before ${new Date(validFrom).toISOString()}`;
  if (now >= validTo) return `the certificate expired on ${new Date(validTo).toISOString()}`;
  return undefined;
}
