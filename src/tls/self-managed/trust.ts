import { bundleText, certificatesIn, unique } from "./secret-contents.ts";
import type { Trusted } from "./secret-contents.ts";

/** One entry of the webhook configuration. */
export interface Entry {
  readonly name: string;
  /** PEM; empty if there is none. */
  readonly caBundle: string;
}

/** Since when each authority, by its fingerprint, has been seen in the caBundle of every entry. */
export type Trust = ReadonlyMap<string, number>;

/** What is known after another look at the entries. An authority that was taken out begins anew when it is back. */
export function observe(before: Trust, entries: readonly Entry[], now: number): Trust {
  const [first = [], ...others] = entries.map(({ caBundle }) =>
    certificatesIn(caBundle).map(({ fingerprint }) => fingerprint),
  );
  const everywhere = first.filter((fingerprint) => others.every((bundle) => bundle.includes(fingerprint)));
  return new Map(everywhere.map((fingerprint) => [fingerprint, before.get(fingerprint) ?? now]));
}

/** The entries whose caBundle is not exactly this bundle. */
export function untrue(entries: readonly Entry[], bundle: readonly Trusted[]): Entry[] {
  const text = bundleText(bundle);
  return entries.filter(({ caBundle }) => caBundle !== text);
}

/** All that is trusted anywhere in the entries and has not ended. */
export function trustedNow(entries: readonly Entry[], now: number): Trusted[] {
  return unique(entries.flatMap(({ caBundle }) => certificatesIn(caBundle))).filter(({ validTo }) => now < validTo);
}
