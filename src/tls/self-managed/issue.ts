import { createCA, issueServingCertificate } from "../certificate.ts";
import { bundleText, isFault, keys, parseSecret, unique } from "./secret-contents.ts";
import type { CA, SecretContents, Trusted } from "./secret-contents.ts";
import type { Plan, Times } from "./plan.ts";

/** How far certificates are backdated, in milliseconds, so that clients whose clocks are behind accept them. */
const backdatedBy = 3_600_000;

/**
 * Issues the certificates that a plan requires.
 *
 * @param context.trusted the CAs that kube-apiserver trusts now. If the Secret has lost its bundle, they are kept, because
 *   the certificates in use depend on them
 * @returns the new values for the Secret, by key; empty if the plan requires nothing
 */
export async function issueCertificates(
  wanted: Plan,
  { ca: currentCA, serving, bundle }: SecretContents,
  context: { now: number; names: readonly string[]; times: Times; trusted: readonly Trusted[] },
): Promise<Record<string, string>> {
  const { now, names, times, trusted } = context;
  const current = isFault(currentCA) ? [] : [currentCA];
  const cas = wanted.authority === undefined ? current : [await newCA(now, times), ...current];
  const values: Record<string, string> = {};
  const [ca] = cas;
  if (!ca) return values;
  if (wanted.authority !== undefined) {
    values[keys.ca] = ca.cert;
    values[keys.caKey] = ca.key;
  }
  if (wanted.authority !== undefined || wanted.bundle !== undefined) {
    values[keys.bundle] = bundleText(unique([...cas, ...(bundle.length ? bundle : trusted)]));
  }
  if (wanted.serving !== undefined) {
    const from = new Date(Math.max(now - backdatedBy, ca.validFrom));
    const to = new Date(Math.min(now + times.servingLifetime, ca.validTo));
    const { cert, key } = await issueServingCertificate(ca, namesFor(serving, names), { from, to });
    values[keys.serving] = cert;
    values[keys.servingKey] = key;
  }
  return values;
}

/**
 * If the current certificate lacks a required name, the new one gets the required names and the current ones. During a
 * rolling upgrade, old and new replicas may require different names. Without this they would keep replacing each other's
 * certificates.
 */
function namesFor(current: SecretContents["serving"], required: readonly string[]): readonly string[] {
  const existing = isFault(current) ? [] : current.names;
  return required.every((name) => existing.includes(name)) ? required : [...new Set([...required, ...existing])];
}

async function newCA(now: number, { caLifetime }: Times): Promise<CA> {
  const created = await createCA({ from: new Date(now - backdatedBy), to: new Date(now + caLifetime) });
  const { ca } = parseSecret({ [keys.ca]: created.cert, [keys.caKey]: created.key }, now);
  if (isFault(ca)) throw new Error(`the newly created CA is invalid: ${ca.fault}`);
  return ca;
}
