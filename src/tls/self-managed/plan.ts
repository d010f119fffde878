import { isFault } from "./secret-contents.ts";
import type { CA, SecretContents, Serving } from "./secret-contents.ts";

/** Lifetimes and waiting times in milliseconds. */
export interface Times {
  readonly caLifetime: number;
  readonly servingLifetime: number;
  /** How long a CA must have been in the caBundle before certificates signed by it are used. */
  readonly settling: number;
}

/**
 * The parts of the Secret to write next, each with the reason. Empty if the Secret is up to date. The names are label values
 * of a metric; `authority` is the CA.
 */
export interface Plan {
  readonly authority?: string;
  readonly serving?: string;
  readonly bundle?: string;
}

/**
 * Decides what to write to the Secret next. A CA is renewed in these steps:
 *
 * 1. After two thirds of its lifetime, a new CA replaces it in the Secret. The old CA's certificate stays in the bundle; its
 *    key is dropped. The serving certificate does not change.
 * 2. The bundle, which now contains both CAs, is written to the caBundle of the webhook configuration.
 * 3. When a replica has seen the new CA in the caBundle for the settling time, every kube-apiserver trusts it. The replica
 *    then writes a serving certificate signed by the new CA. The other replicas use it after their next check. Until then
 *    they serve the old certificate, which is still trusted.
 * 4. The old CA stays in the bundle until it expires. The certificates that it has signed expire no later. So even a replica
 *    that cannot reach the API server all that time is trusted until its certificate expires.
 *
 * A missing or invalid serving certificate is replaced immediately, because no replica could start with it.
 *
 * @param settled whether the CA in the Secret has been in the caBundle for the settling time
 */
export function plan(
  { ca, serving, bundle }: SecretContents,
  { now, names, times, settled }: { now: number; names: readonly string[]; times: Times; settled: boolean },
): Plan {
  if (isFault(ca)) return { authority: ca.fault, ...(isFault(serving) && { serving: serving.fault }) };
  if (isFault(serving)) return { serving: serving.fault };

  const renewalReason = servingRenewalReason(serving, { now, names, times });
  const isCurrentSigner = serving.signer === ca.fingerprint;
  if (renewalReason && isCurrentSigner && outlasts(ca, now, times)) return { serving: renewalReason };
  if (expiresSoon(ca, now, times.caLifetime)) return { authority: `it expires on ${date(ca)}` };
  if (!isCurrentSigner && settled) return { serving: "there is a new CA" };
  if (!bundle.some(({ fingerprint }) => fingerprint === ca.fingerprint)) {
    return { bundle: "it does not contain the current CA" };
  }
  return {};
}

function servingRenewalReason(
  serving: Serving,
  { now, names, times }: { now: number; names: readonly string[]; times: Times },
): string | undefined {
  if (expiresSoon(serving, now, times.servingLifetime)) return `it expires on ${date(serving)}`;
  const missing = names.filter((name) => !serving.names.includes(name));
  return missing.length ? `it lacks the names ${missing.join(", ")}` : undefined;
}

/** Whether less than a third of the lifetime is left. Uses the shorter of the actual and the configured lifetime. */
function expiresSoon({ validFrom, validTo }: { validFrom: number; validTo: number }, now: number, lifetime: number) {
  return validTo - now < Math.min(lifetime, validTo - validFrom) / 3;
}

/** Whether the CA is valid long enough that a serving certificate signed by it now is not due for renewal at once. */
const outlasts = ({ validTo }: CA, now: number, { servingLifetime }: Times): boolean =>
  validTo - now > servingLifetime / 2;

const date = ({ validTo }: { validTo: number }): string => new Date(validTo).toISOString();
