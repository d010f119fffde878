import { X509Certificate, createPrivateKey } from "node:crypto";
import { signingKey } from "../certificate.ts";
import type { KeyPair } from "../certificate.ts";
import { checkServingCertificate } from "../serving-certificate.ts";
import type { ServingCertificate } from "../serving-certificate.ts";

/** The keys of the Secret. The first four are the conventional ones. All values are PEM. */
export const keys = {
  ca: "ca.crt",
  caKey: "ca.key",
  serving: "tls.crt",
  servingKey: "tls.key",
  /** All CAs to trust: the current one and its predecessors that have not expired. */
  bundle: "ca-bundle.crt",
} as const;

/** A trusted certificate, identified by its fingerprint. */
export interface Trusted {
  readonly pem: string;
  readonly fingerprint: string;
  readonly validTo: number;
}

/** The current CA, which signs new certificates. */
export interface CA extends KeyPair, Trusted {
  readonly validFrom: number;
}

/** The certificate to serve. */
export interface Serving extends ServingCertificate {
  /** The fingerprint of the CA that signed it. */
  readonly signer: string;
  readonly names: readonly string[];
}

/** The parsed contents of the Secret. An unusable part is a `Fault` with the reason. */
export interface SecretContents {
  readonly ca: CA | Fault;
  readonly serving: Serving | Fault;
  readonly bundle: readonly Trusted[];
}

/** A part of the Secret that must be replaced, with the reason. */
export interface Fault {
  readonly fault: string;
  /** Set if the certificate is not valid yet, which can be due to clock skew. */
  readonly early?: true;
}

export const isFault = (part: object): part is Fault => "fault" in part;

/**
 * Parses the Secret's data. Never throws, whatever the data contains.
 *
 * @param data the decoded values
 * @param now milliseconds since 1970
 */
export function parseSecret(data: Readonly<Record<string, string>>, now: number): SecretContents {
  const ca = attempt(() => readCA(data, now));
  const bundle = certificatesIn(data[keys.bundle] ?? "").filter(({ validTo }) => now < validTo);
  const trusted = isFault(ca) ? bundle : [ca, ...bundle];
  return { ca, bundle, serving: attempt(() => readServing(data, trusted, now)) };
}

/** The certificates in a PEM text. Everything else is ignored. */
export function certificatesIn(text: string): Trusted[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const found = blocks.flatMap((block) => {
    const certificate = attempt(() => trustedOf(new X509Certificate(block)));
    return isFault(certificate) ? [] : [certificate];
  });
  return unique(found);
}

/** Removes duplicate certificates and keeps the order of first occurrence. */
export function unique(certificates: readonly Trusted[]): Trusted[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

/** The certificates as one text in a canonical form, so that equal bundles are equal texts. */
export const bundleText = (certificates: readonly Trusted[]): string => certificates.map(({ pem }) => pem).join("");

function readCA(data: Readonly<Record<string, string>>, now: number): CA {
  const { cert, key } = pemPair(data, keys.ca, keys.caKey);
  const certificate = new X509Certificate(cert);
  if (!certificate.ca) throw new Error(`the certificate in ${keys.ca} is not a CA certificate`);
  if (!certificate.checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`the key in ${keys.caKey} does not match ${keys.ca}`);
  }
  signingKey(key);
  const ca = { ...trustedOf(certificate), cert, key, validFrom: Date.parse(certificate.validFrom) };
  checkTime(keys.ca, ca, now);
  return ca;
}

function readServing(data: Readonly<Record<string, string>>, trusted: readonly Trusted[], now: number): Serving {
  const { cert, key } = pemPair(data, keys.serving, keys.servingKey);
  const certificate = new X509Certificate(cert);
  checkTime(
    keys.serving,
    { validFrom: Date.parse(certificate.validFrom), validTo: Date.parse(certificate.validTo) },
    now,
  );
  const signer = trusted.find(({ pem }) => certificate.verify(new X509Certificate(pem).publicKey));
  if (!signer) throw new Error(`the certificate in ${keys.serving} is not signed by a CA in this Secret`);
  const names = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  return { ...checkServingCertificate(cert, key, now), signer: signer.fingerprint, names };
}

class NotValidYet extends Error {}

function checkTime(where: string, { validFrom, validTo }: { validFrom: number; validTo: number }, now: number): void {
  if (now < validFrom) {
    const from = new Date(validFrom).toISOString();
    throw new NotValidYet(`the certificate in ${where} is not valid before ${from}`);
  }
  if (now >= validTo) throw new Error(`the certificate in ${where} expired on ${new Date(validTo).toISOString()}`);
}

/** Returns the certificate and key under these keys of the Secret. */
function pemPair(data: Readonly<Record<string, string>>, cert: string, key: string): KeyPair {
  if (!data[cert] && !data[key]) throw new Error(`${cert} does not exist yet`);
  if (!data[cert] || !data[key]) throw new Error(`${data[cert] ? key : cert} is missing`);
  return { cert: data[cert], key: data[key] };
}

function trustedOf(certificate: X509Certificate): Trusted {
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    validTo: Date.parse(certificate.validTo),
  };
}

function attempt<T extends object>(read: () => T): T | Fault {
  try {
    return read();
  } catch (error) {
    return { fault: (error as Error).message, ...(error instanceof NotValidYet && { early: true }) };
  }
}
