import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCA, selfSigned, issueServingCertificate } from "../certificate.ts";
import { certificatesIn, isFault, parseSecret } from "./secret-contents.ts";

const now = Date.now();
const hours = (from: number, to: number) => ({
  from: new Date(now + from * 3_600_000),
  to: new Date(now + to * 3_600_000),
});
const ca = await createCA(hours(-1, 9));
const other = await createCA(hours(-1, 9));
const serving = await issueServingCertificate(ca, ["localhost", "arc-primer.arc.svc"], hours(-1, 5));
const good = {
  "ca.crt": ca.cert,
  "ca.key": ca.key,
  "tls.crt": serving.cert,
  "tls.key": serving.key,
  "ca-bundle.crt": ca.cert,
};

test("a complete Secret", () => {
  const contents = parseSecret(good, now);
  const [trusted] = certificatesIn(ca.cert);
  expect(contents).toMatchObject({
    ca: { cert: ca.cert, fingerprint: trusted!.fingerprint },
    serving: { cert: serving.cert, signer: trusted!.fingerprint, names: ["localhost", "arc-primer.arc.svc"] },
    bundle: [trusted],
  });
});

describe("each invalid part is reported on its own", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
  test.each<[string, Record<string, string>, RegExp | undefined, RegExp | undefined]>([
    ["an empty Secret", {}, /ca.crt does not exist yet/, /tls.crt does not exist yet/],
    ["no CA key", { ...good, "ca.key": "" }, /ca.key is missing/, undefined],
    ["no certificate", { ...good, "tls.crt": "" }, undefined, /tls.crt is missing/],
    ["garbage instead of the CA", { ...good, "ca.crt": "\u0000\uFFFD" }, /PEM|start line/i, undefined],
    ["garbage instead of the CA's key", { ...good, "ca.key": "x" }, /DECODER|PEM|unsupported/i, undefined],
    ["the key of another CA", { ...good, "ca.key": other.key }, /does not match ca.crt/, undefined],
    ["a key of another type", { ...good, "ca.key": String(rsa) }, /does not match ca.crt/, undefined],
    [
      "a certificate that is not a CA",
      { ...good, "ca.crt": serving.cert, "ca.key": serving.key },
      /is not a CA certificate/,
      undefined,
    ],
    [
      "the key of another serving certificate",
      { ...good, "tls.key": other.key },
      undefined,
      /private key does not match the certificate/,
    ],
    ["an incomplete certificate", { ...good, "tls.crt": serving.cert.slice(0, 300) }, undefined, /./],
    [
      "a certificate of an unknown CA",
      { ...good, "ca.crt": other.cert, "ca.key": other.key, "ca-bundle.crt": "" },
      undefined,
      /not signed by a CA in this Secret/,
    ],
  ])("%s", (_, data, caFault, servingFault) => {
    const contents = parseSecret(data, now);
    for (const [part, fault] of [
      [contents.ca, caFault],
      [contents.serving, servingFault],
    ] as const) {
      expect(isFault(part) ? part.fault : "none").toMatch(fault ?? /^none$/);
    }
  });

  test("an expired certificate is a fault", () => {
    expect(parseSecret(good, now + 6 * 3_600_000)).toMatchObject({
      ca: { cert: ca.cert },
      serving: { fault: expect.stringMatching(/tls.crt expired on/) },
    });
    expect(parseSecret(good, now + 10 * 3_600_000)).toMatchObject({
      ca: { fault: expect.anything() },
      bundle: [],
    });
  });

  test("a certificate that is not valid yet is a fault marked as early, because clocks may differ", () => {
    expect(parseSecret(good, now - 2 * 3_600_000)).toMatchObject({
      ca: { fault: expect.stringMatching(/ca.crt is not valid before /), early: true },
      serving: { fault: expect.stringMatching(/tls.crt is not valid before /), early: true },
    });
    expect(parseSecret(good, now + 10 * 3_600_000).ca).not.toHaveProperty("early");
  });
});

test("a certificate signed by the previous CA is as valid as one signed by the current CA", () => {
  const contents = parseSecret({ ...good, "ca.crt": other.cert, "ca.key": other.key }, now);
  expect(contents.serving).toMatchObject({ cert: serving.cert });
});

test("the readable part of a bundle is used, without duplicates", async () => {
  const stranger = await selfSigned(["localhost"], hours(-1, 1));
  const text = `hello\n${ca.cert}${stranger.cert.replace("MII", "XXX")}${ca.cert.replaceAll("\n", "\r\n")}${other.cert}-----BEGIN`;
  expect(certificatesIn(text).map(({ pem }) => pem)).toEqual([ca.cert, other.cert]);
});

test.each(["rsa", "P-384", "P-521", "ed25519"])("a CA with a key of type %s can sign", async (kind) => {
  const { X509CertificateGenerator, BasicConstraintsExtension } = await import("@peculiar/x509");
  const algorithm =
    kind === "rsa"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
      : kind === "ed25519"
        ? { name: "Ed25519" }
        : { name: "ECDSA", namedCurve: kind, hash: "SHA-256" };
  const keys = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as {
    publicKey: Parameters<typeof crypto.subtle.exportKey>[1];
    privateKey: Parameters<typeof crypto.subtle.exportKey>[1];
  };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=another CA",
    keys,
    signingAlgorithm: algorithm,
    notBefore: hours(-1, 0).from,
    notAfter: hours(0, 9).to,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const foreign = {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  };
  const signed = await issueServingCertificate(foreign, ["localhost"], hours(-1, 1));
  const data = { "ca.crt": foreign.cert, "ca.key": foreign.key, "tls.crt": signed.cert, "tls.key": signed.key };
  expect(parseSecret(data, now)).toMatchObject({ ca: { cert: foreign.cert }, serving: { cert: signed.cert } });
});
