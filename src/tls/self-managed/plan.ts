import { isFault } from "./secret-contents.ts";
import type { Authority, Held, Serving } from "./secret-contents.ts";

/** All in milliseconds. */
export interface Times {
  readonly authorityLifetime: number;
  readonly servingLifetime: number;
  /** How long an authority has to stand in the caBundle before anything changes over to its certificates. */
  readonly settling: number;
}

/** What is to be written to the Secret next, each with its reason; nothing, if it is as it should be. */
export interface Plan {
  readonly authority?: string;
  readonly serving?: string;
  readonly bundle?: string;
}

/**
 * Decides what the Secret needs next. The order in which an authority is renewed:
 *
 * 1. At two thirds of its life a new one takes its place in the Secret. The old one, without its key, stays in the
 *    bundle, and what is served stays as it is.
 * 2. The bundle, now with both, is written into the caBundle of the webhook configuration.
 * 3. When a replica has seen the new one there for the settling time, so that every kube-apiserver has it, it writes a
 *    serving certificate signed by the new authority. The others take it over when they next look; until then they
 *    serve the old one, which is trusted as before.
 * 4. The old authority stays in the bundle until it ends. No certificate that it signed lives longer, so that even a
 *    replica which was cut off from the API server all the while is trusted to the end.
 *
 * A serving certificate that is missing or spoiled is replaced at once: nothing can start with it.
 *
 * @param settled whether the authority in the Secret has stood in the caBundle for the settling time
 */
export function plan(
  { authority, serving, bundle }: Held,
  { now, names, times, settled }: { now: number; names: readonly string[]; times: Times; settled: boolean },
): Plan {
  const spoiled = isFault(serving) ? serving.fault : undefined;
  if (isFault(authority)) return { authority: authority.fault, ...(spoiled !== undefined && { serving: spoiled }) };
  if (isFault(serving)) return { serving: serving.fault };

  const due = servingDue(serving, { now, names, times });
  const ours = serving.signer === authority.fingerprint;
  if (due && ours && outlasts(authority, now, times)) return { serving: due };
  if (endsSoon(authority, now, times.authorityLifetime)) return { authority: `it ends on ${date(authority)}` };
  if (!ours && settled) return { serving: "there is a new authority" };
  if (!bundle.some(({ fingerprint }) => fingerprint === authority.fingerprint)) {
    return { bundle: "the authority is not in it" };
  }
  return {};
}

function servingDue(
  serving: Serving,
  { now, names, times }: { now: number; names: readonly string[]; times: Times },
): string | undefined {
  if (endsSoon(serving, now, times.servingLifetime)) return `it ends on ${date(serving)}`;
  const missing = names.filter((name) => !serving.names.includes(name));
  return missing.length ? `it lacks the names ${missing.join(", ")}` : undefined;
}

/** Whether less than a third of the life is left: of the life it has, or is to have, whichever is shorter. */
function endsSoon({ validFrom, validTo }: { validFrom: number; validTo: number }, now: number, lifetime: number) {
  return validTo - now < Math.min(lifetime, validTo - validFrom) / 3;
}

/** Whether a serving certificate that it signs now is not due again at once. */
const outlasts = ({ validTo }: Authority, now: number, { servingLifetime }: Times): boolean =>
  validTo - now > servingLifetime / 2;

const date = ({ validTo }: { validTo: number }): string => new Date(validTo).toISOString();
