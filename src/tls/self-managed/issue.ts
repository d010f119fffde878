import { createCA, issueServingCertificate } from "../certificate.ts";
import { bundleText, isFault, keys, parseSecret, unique } from "./secret-contents.ts";
import type { CA, SecretContents, Trusted } from "./secret-contents.ts";
import type { Plan, Times } from "./plan.ts";

/** How far certificates are backdated, in milliseconds, so that clients whose clocks are behind accept them. */
const backdated = 3_600_000;

/**
 * Issues the certificates that a plan requires.
 *
 * @param context.trusted the CAs that kube-apiserver trusts now. If the Secret has lost its bundle, they are kept, because
 *   the certificates in use depend on them
 * @returns the new values for the Secret, by key; empty if the plan requires nothing
 */
export async function issueCertificates(
  wanted: Plan,
  { authority: present, serving, bundle }: SecretContents,
  context: { now: number; names: readonly string[]; times: Times; trusted: readonly Trusted[] },
): Promise<Record<string, string>> {
  const { now, names, times, trusted } = context;
  const before = isFault(present) ? [] : [present];
  const after = wanted.authority === undefined ? before : [await newCA(now, times), ...before];
  const values: Record<string, string> = {};
  const [authority] = after;
  if (!authority) return values;
  if (wanted.authority !== undefined) {
    values[keys.authority] = authority.cert;
    values[keys.authorityKey] = authority.key;
  }
  if (wanted.authority !== undefined || wanted.bundle !== undefined) {
    values[keys.bundle] = bundleText(unique([...after, ...(bundle.length ? bundle : trusted)]));
  }
  if (wanted.serving !== undefined) {
    const from = new Date(Math.max(now - backdated, authority.validFrom));
    const to = new Date(Math.min(now + times.servingLifetime, authority.validTo));
    const { cert, key } = await issueServingCertificate(authority, namesFor(serving, names), { from, to });
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
function namesFor(present: SecretContents["serving"], wanted: readonly string[]): readonly string[] {
  const before = isFault(present) ? [] : present.names;
  return wanted.every((name) => before.includes(name)) ? wanted : [...new Set([...wanted, ...before])];
}

async function newCA(now: number, { caLifetime }: Times): Promise<CA> {
  const made = await createCA({ from: new Date(now - backdated), to: new Date(now + caLifetime) });
  const { authority } = parseSecret({ [keys.authority]: made.cert, [keys.authorityKey]: made.key }, now);
  if (isFault(authority)) throw new Error(`the CA that was just made is invalid: ${authority.fault}`);
  return authority;
}
