import { bundleText, certificatesIn, unique } from "./secret-contents.ts";
import type { Trusted } from "./secret-contents.ts";

/** One entry of the webhook configuration. */
export interface Entry {
  readonly name: string;
  /** PEM; empty if there is none. */
  readonly caBundle: string;
}

/** For each CA (by fingerprint), the time since when it has been in the caBundle of every entry. */
export type TrustHistory = ReadonlyMap<string, number>;

/** Updates the times after reading the entries. If a CA is removed and added again, its time starts again. */
export function observe(history: TrustHistory, entries: readonly Entry[], now: number): TrustHistory {
  const [first = [], ...others] = entries.map(({ caBundle }) =>
    certificatesIn(caBundle).map(({ fingerprint }) => fingerprint),
  );
  const everywhere = first.filter((fingerprint) => others.every((bundle) => bundle.includes(fingerprint)));
  return new Map(everywhere.map((fingerprint) => [fingerprint, history.get(fingerprint) ?? now]));
}

/** The entries whose caBundle differs from this bundle. */
export function outdatedEntries(entries: readonly Entry[], bundle: readonly Trusted[]): Entry[] {
  const text = bundleText(bundle);
  return entries.filter(({ caBundle }) => caBundle !== text);
}

/** All CAs in the caBundle of any entry that have not expired. */
export function trustedCAs(entries: readonly Entry[], now: number): Trusted[] {
  return unique(entries.flatMap(({ caBundle }) => certificatesIn(caBundle))).filter(({ validTo }) => now < validTo);
}
