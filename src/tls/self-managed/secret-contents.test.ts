import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createCA, selfSigned, issueServingCertificate } from "../certificate.ts";
import { certificatesIn, isFault, parseSecret } from "./secret-contents.ts";

const now = Date.now();
const hours = (from: number, to: number) => ({
  from: new Date(now + from * 3_600_000),
  to: new Date(now + to * 3_600_000),
});
const authority = await createCA(hours(-1, 9));
const other = await createCA(hours(-1, 9));
const serving = await issueServingCertificate(authority, ["localhost", "arc-primer.arc.svc"], hours(-1, 5));
const good = {
  "ca.crt": authority.cert,
  "ca.key": authority.key,
  "tls.crt": serving.cert,
  "tls.key": serving.key,
  "ca-bundle.crt": authority.cert,
};

test("a whole Secret", () => {
  const held = parseSecret(good, now);
  const [trusted] = certificatesIn(authority.cert);
  expect(held).toMatchObject({
    authority: { cert: authority.cert, fingerprint: trusted!.fingerprint },
    serving: { cert: serving.cert, signer: trusted!.fingerprint, names: ["localhost", "arc-primer.arc.svc"] },
    bundle: [trusted],
  });
});

describe("each invalid part is reported on its own", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
  test.each<[string, Record<string, string>, RegExp | undefined, RegExp | undefined]>([
    ["an empty one", {}, /there is no ca.crt yet/, /there is no tls.crt yet/],
    ["no key", { ...good, "ca.key": "" }, /there is no ca.key/, undefined],
    ["no certificate", { ...good, "tls.crt": "" }, undefined, /there is no tls.crt/],
    ["garbage for the authority", { ...good, "ca.crt": "\u0000\uFFFD" }, /PEM|start line/i, undefined],
    ["garbage for its key", { ...good, "ca.key": "x" }, /DECODER|PEM|unsupported/i, undefined],
    ["another's key", { ...good, "ca.key": other.key }, /not that of ca.crt/, undefined],
    ["a key of another kind", { ...good, "ca.key": String(rsa) }, /not that of ca.crt/, undefined],
    ["no authority", { ...good, "ca.crt": serving.cert, "ca.key": serving.key }, /not one of an authority/, undefined],
    ["another's serving key", { ...good, "tls.key": other.key }, undefined, /not the certificate's/],
    ["half a certificate", { ...good, "tls.crt": serving.cert.slice(0, 300) }, undefined, /./],
    [
      "a stranger's certificate",
      { ...good, "ca.crt": other.cert, "ca.key": other.key, "ca-bundle.crt": "" },
      undefined,
      /signed by no authority/,
    ],
  ])("%s", (_, data, authorityFault, servingFault) => {
    const held = parseSecret(data, now);
    for (const [part, fault] of [
      [held.authority, authorityFault],
      [held.serving, servingFault],
    ] as const) {
      expect(isFault(part) ? part.fault : "none").toMatch(fault ?? /^none$/);
    }
  });

  test("what has ended is a fault", () => {
    expect(parseSecret(good, now + 6 * 3_600_000)).toMatchObject({
      authority: { cert: authority.cert },
      serving: { fault: expect.stringMatching(/tls.crt ended on/) },
    });
    expect(parseSecret(good, now + 10 * 3_600_000)).toMatchObject({
      authority: { fault: expect.anything() },
      bundle: [],
    });
  });

  test("what is not valid yet is a fault, and told from the others: the clocks may be apart", () => {
    expect(parseSecret(good, now - 2 * 3_600_000)).toMatchObject({
      authority: { fault: expect.stringMatching(/ca.crt is valid only from /), early: true },
      serving: { fault: expect.stringMatching(/tls.crt is valid only from /), early: true },
    });
    expect(parseSecret(good, now + 10 * 3_600_000).authority).not.toHaveProperty("early");
  });
});

test("a certificate of the authority before is as good as one of the present", () => {
  const held = parseSecret({ ...good, "ca.crt": other.cert, "ca.key": other.key }, now);
  expect(held.serving).toMatchObject({ cert: serving.cert });
});

test("a bundle is read as far as it can be, each certificate once", async () => {
  const stranger = await selfSigned(["localhost"], hours(-1, 1));
  const text = `hello\n${authority.cert}${stranger.cert.replace("MII", "XXX")}${authority.cert.replaceAll("\n", "\r\n")}${other.cert}-----BEGIN`;
  expect(certificatesIn(text).map(({ pem }) => pem)).toEqual([authority.cert, other.cert]);
});

test.each(["rsa", "P-384", "P-521", "ed25519"])(
  "an authority with a key of the kind %s signs as well",
  async (kind) => {
    const { X509CertificateGenerator, BasicConstraintsExtension } = await import("@peculiar/x509");
    const algorithm =
      kind === "rsa"
        ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
        : kind === "ed25519"
          ? { name: "Ed25519" }
          : { name: "ECDSA", namedCurve: kind, hash: "SHA-256" };
    const made = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as {
      publicKey: Parameters<typeof crypto.subtle.exportKey>[1];
      privateKey: Parameters<typeof crypto.subtle.exportKey>[1];
    };
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: "CN=somebody's CA",
      keys: made,
      signingAlgorithm: algorithm,
      notBefore: hours(-1, 0).from,
      notAfter: hours(0, 9).to,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", made.privateKey)).toString("base64");
    const foreign = {
      cert: certificate.toString("pem"),
      key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    };
    const signed = await issueServingCertificate(foreign, ["localhost"], hours(-1, 1));
    const data = { "ca.crt": foreign.cert, "ca.key": foreign.key, "tls.crt": signed.cert, "tls.key": signed.key };
    expect(parseSecret(data, now)).toMatchObject({ authority: { cert: foreign.cert }, serving: { cert: signed.cert } });
  },
);
