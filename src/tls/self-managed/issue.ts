import { makeAuthority, signedBy } from "../certificate.ts";
import { bundleText, isFault, keys, readHeld, unique } from "./secret-contents.ts";
import type { Authority, Held, Trusted } from "./secret-contents.ts";
import type { Plan, Times } from "./plan.ts";

/** New certificates begin in the past, so that a client whose clock is behind takes them as well. */
const backdated = 3_600_000;

/**
 * Makes what a plan asks for.
 *
 * @param context.trusted what kube-apiserver trusts now. Where the Secret has lost its bundle, that is what the
 *   certificates which the replicas serve need.
 * @returns the values for the Secret, by key; none if the plan asks for nothing
 */
export async function make(
  wanted: Plan,
  { authority: present, serving, bundle }: Held,
  context: { now: number; names: readonly string[]; times: Times; trusted: readonly Trusted[] },
): Promise<Record<string, string>> {
  const { now, names, times, trusted } = context;
  const before = isFault(present) ? [] : [present];
  const after = wanted.authority === undefined ? before : [await newAuthority(now, times), ...before];
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
    const { cert, key } = await signedBy(authority, namesFor(serving, names), { from, to });
    values[keys.serving] = cert;
    values[keys.servingKey] = key;
  }
  return values;
}

/**
 * Where the present certificate lacks a name, its own are kept: in a rolling upgrade the old replicas may want one name
 * and the new ones another, and they must not go on replacing each other's certificates.
 */
function namesFor(present: Held["serving"], wanted: readonly string[]): readonly string[] {
  const before = isFault(present) ? [] : present.names;
  return wanted.every((name) => before.includes(name)) ? wanted : [...new Set([...wanted, ...before])];
}

async function newAuthority(now: number, { authorityLifetime }: Times): Promise<Authority> {
  const made = await makeAuthority({ from: new Date(now - backdated), to: new Date(now + authorityLifetime) });
  const { authority } = readHeld({ [keys.authority]: made.cert, [keys.authorityKey]: made.key }, now);
  if (isFault(authority)) throw new Error(`the CA that was just made is invalid: ${authority.fault}`);
  return authority;
}
