import "reflect-metadata"; // @peculiar/x509 needs it loaded first
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Extension } from "@peculiar/x509";
import { createPrivateKey } from "node:crypto";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";

/** A certificate with its key, both PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/**
 * Makes a self-signed serving certificate (ECDSA P-256) for these names.
 *
 * @param hosts DNS names and IP addresses; the first is also the common name
 * @param valid from when and until when
 */
export async function selfSigned(hosts: readonly string[], valid: Validity): Promise<Issued> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${hosts[0]}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: valid.from,
    notAfter: valid.to,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      ...serving(hosts),
      ...(await selfSignedIds(keys)),
    ],
  });
  return issued(certificate, keys);
}

/** Makes a certificate authority (ECDSA P-256) that may sign serving certificates and nothing below it. */
export async function makeAuthority(valid: Validity): Promise<Issued> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=arc-primer CA",
    keys,
    signingAlgorithm: algorithm,
    notBefore: valid.from,
    notAfter: valid.to,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ...(await selfSignedIds(keys)),
    ],
  });
  return issued(certificate, keys);
}

/**
 * Makes a serving certificate (ECDSA P-256), signed by an authority whose key may be of any usual kind.
 *
 * @param hosts DNS names and IP addresses
 * @throws if the authority's certificate or key cannot be read
 */
export async function signedBy(authority: Issued, hosts: readonly string[], valid: Validity): Promise<Issued> {
  const signer = new X509Certificate(authority.cert);
  const keys = await makeKeys();
  const { key, signingAlgorithm } = signingKey(authority.key);
  const certificate = await X509CertificateGenerator.create({
    subject: "CN=arc-primer", // a common name has 64 characters at most; clients read the alternative names
    issuer: signer.subjectName,
    publicKey: keys.publicKey,
    signingKey: key,
    signingAlgorithm,
    notBefore: valid.from,
    notAfter: valid.to,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ...serving(hosts),
      ...(await signedIds(keys, signer)),
    ],
  });
  return issued(certificate, keys);
}

function serving(hosts: readonly string[]): Extension[] {
  return [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? "ip" : "dns", value }))),
  ];
}

/** By these a client tells certificates of the same name apart, when it trusts an old and a new one. */
async function selfSignedIds({ publicKey }: webcrypto.CryptoKeyPair): Promise<Extension[]> {
  return [
    await SubjectKeyIdentifierExtension.create(publicKey),
    await AuthorityKeyIdentifierExtension.create(publicKey),
  ];
}

/** The authority's identifier has to be the one that it gives itself, however it came by it; it may have none. */
async function signedIds({ publicKey }: webcrypto.CryptoKeyPair, signer: X509Certificate): Promise<Extension[]> {
  const authority = signer.getExtension(SubjectKeyIdentifierExtension);
  const own = await SubjectKeyIdentifierExtension.create(publicKey);
  return authority ? [own, new AuthorityKeyIdentifierExtension(authority.keyId)] : [own];
}

/**
 * The key of an authority, ready for signing.
 *
 * @throws {Error} if it cannot be read, or is of a kind that is not supported
 */
export function signingKey(pem: string) {
  const key = createPrivateKey(pem);
  const curve = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[
    key.asymmetricKeyDetails?.namedCurve ?? ""
  ];
  const kinds: Record<string, { name: string; namedCurve?: string; hash?: string }> = {
    ec: { name: "ECDSA", namedCurve: curve ?? "P-256", hash: "SHA-256" },
    rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    ed25519: { name: "Ed25519" },
  };
  const signingAlgorithm = kinds[key.asymmetricKeyType ?? ""];
  if (!signingAlgorithm) throw new Error(`keys of the kind ${key.asymmetricKeyType} are not known here`);
  return { key: key.toCryptoKey(signingAlgorithm, false, ["sign"]), signingAlgorithm };
}

async function issued(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Issued> {
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: `${certificate.toString("pem")}\n`, key: `${key}\n` }; // so that they can be joined
}
