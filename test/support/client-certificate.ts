import { randomBytes } from "node:crypto";
import "reflect-metadata"; // @peculiar/x509 needs it loaded first
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, X509Certificate, X509CertificateGenerator } from "@peculiar/x509";
import { signingKey } from "../../src/tls/certificate.ts";
import type { KeyPair } from "../../src/tls/certificate.ts";

/** A client certificate like the one that kube-apiserver presents to webhooks, valid for an hour. */
export async function clientCertificate(ca: KeyPair): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { key: caKey, signingAlgorithm } = signingKey(ca.key);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString("hex"),
    subject: "CN=kube-apiserver",
    issuer: new X509Certificate(ca.cert).subjectName,
    publicKey: keys.publicKey,
    signingKey: caKey,
    signingAlgorithm: { ...signingAlgorithm, hash: "SHA-256" },
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}
