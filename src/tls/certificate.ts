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

/** A certificate and its private key, both in PEM. */
export interface KeyPair {
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
 * Creates a self-signed serving certificate (ECDSA P-256) for these names.
 *
 * @param hosts DNS names and IP addresses; the first is also the common name
 * @param valid the validity period
 */
export async function selfSigned(hosts: readonly string[], valid: Validity): Promise<KeyPair> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${hosts[0]}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: valid.from,
    notAfter: valid.to,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      ...servingExtensions(hosts),
      ...(await selfSignedIds(keys)),
    ],
  });
  return toKeyPair(certificate, keys);
}

/** Creates a CA (ECDSA P-256) that may sign serving certificates, but no intermediate CAs (path length 0). */
export async function createCA(valid: Validity): Promise<KeyPair> {
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
  return toKeyPair(certificate, keys);
}

/**
 * Creates a serving certificate (ECDSA P-256) signed by a CA. The CA's key can be ECDSA, RSA or Ed25519.
 *
 * @param hosts DNS names and IP addresses
 * @throws if the CA's certificate or key cannot be read
 */
export async function issueServingCertificate(
  ca: KeyPair,
  hosts: readonly string[],
  valid: Validity,
): Promise<KeyPair> {
  const signer = new X509Certificate(ca.cert);
  const keys = await makeKeys();
  const { key, signingAlgorithm } = signingKey(ca.key);
  const certificate = await X509CertificateGenerator.create({
    subject: "CN=arc-primer", // fixed, because a common name is limited to 64 characters; clients use the subject alternative names
    issuer: signer.subjectName,
    publicKey: keys.publicKey,
    signingKey: key,
    signingAlgorithm,
    notBefore: valid.from,
    notAfter: valid.to,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ...servingExtensions(hosts),
      ...(await signedIds(keys, signer)),
    ],
  });
  return toKeyPair(certificate, keys);
}

function servingExtensions(hosts: readonly string[]): Extension[] {
  return [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? "ip" : "dns", value }))),
  ];
}

/** The key identifiers let a client that trusts an old and a new CA of the same name tell them apart. */
async function selfSignedIds({ publicKey }: webcrypto.CryptoKeyPair): Promise<Extension[]> {
  return [
    await SubjectKeyIdentifierExtension.create(publicKey),
    await AuthorityKeyIdentifierExtension.create(publicKey),
  ];
}

/** The authority key identifier must equal the CA's own subject key identifier. It is left out if the CA has none. */
async function signedIds({ publicKey }: webcrypto.CryptoKeyPair, signer: X509Certificate): Promise<Extension[]> {
  const signerId = signer.getExtension(SubjectKeyIdentifierExtension);
  const ownId = await SubjectKeyIdentifierExtension.create(publicKey);
  return signerId ? [ownId, new AuthorityKeyIdentifierExtension(signerId.keyId)] : [ownId];
}

/**
 * Imports the private key of a CA for signing.
 *
 * @throws {Error} if the key cannot be read or has an unsupported type
 */
export function signingKey(pem: string) {
  const key = createPrivateKey(pem);
  const curve = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[
    key.asymmetricKeyDetails?.namedCurve ?? ""
  ];
  const algorithms: Record<string, { name: string; namedCurve?: string; hash?: string }> = {
    ec: { name: "ECDSA", namedCurve: curve ?? "P-256", hash: "SHA-256" },
    rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    ed25519: { name: "Ed25519" },
  };
  const signingAlgorithm = algorithms[key.asymmetricKeyType ?? ""];
  if (!signingAlgorithm) throw new Error(`unsupported key type ${key.asymmetricKeyType}`);
  return { key: key.toCryptoKey(signingAlgorithm, false, ["sign"]), signingAlgorithm };
}

async function toKeyPair(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<KeyPair> {
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: `${certificate.toString("pem")}\n`, key: `${key}\n` }; // with a final line feed, so that they can be concatenated
}
