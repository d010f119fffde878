import type { Bundle } from "../bundles/bundle.ts";
import type { Config } from "../config/schema.ts";
import { diff } from "../engine/diff.ts";
import type { JsonPatch } from "../engine/diff.ts";
import type { Prime } from "../engine/prime.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Primed } from "../report/decision.ts";
import type { PodReason } from "../report/reasons.ts";
import { explain } from "../report/reasons.ts";
import { problemsOf, summary } from "../report/summary.ts";
import { record } from "./record.ts";
import { decodeReview, encodeResponse, notOurs } from "./review.ts";
import type { Review } from "./review.ts";

/**
 * Answers an admission review.
 *
 * @param body the request's body, parsed
 * @param podSecurity what the pod's namespace enforces. The review does not say: the path that it came by does
 * @returns the response's body, as text
 * @throws {UnreadableReview} if there is no review to answer
 */
export type Admit = (body: unknown, podSecurity: PodSecurity) => string;

export interface AdmitParts {
  /** The configuration in force, asked for at every review. */
  readonly config: () => Config;
  /** The package bundles that are ready, asked for at every review. None if absent. */
  readonly bundles?: () => readonly Bundle[];
  readonly prime: Prime;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds from any fixed point. */
  readonly clock: () => number;
}

/**
 * Makes the function that answers admission reviews. Whatever happens inside, the pod is admitted: as it came, if
 * need be, and with the reason in the log, the metrics and a warning.
 */
export function createAdmit(parts: AdmitParts): Admit {
  return (body, podSecurity) => {
    const started = parts.clock();
    const review = decodeReview(body);
    const { primed, patch, error } = examine(review, podSecurity, parts);
    const milliseconds = parts.clock() - started;
    const summarized = summary(primed);
    const problems = problemsOf(primed);
    record({ review, primed, patch, error, milliseconds, summary: summarized, problems }, parts);
    return encodeResponse(review, {
      patch,
      warnings: problems.map((code) => `arc-primer: ${explain(code)} (${code})`),
      auditAnnotations: { decision: JSON.stringify(summarized) },
    });
  };
}

interface Examined {
  readonly primed: Primed;
  readonly patch: JsonPatch;
  readonly error?: unknown;
}

/** The one try/catch: nothing that goes wrong beyond it reaches kube-apiserver. */
function examine(review: Review, podSecurity: PodSecurity, { config, bundles, prime }: AdmitParts): Examined {
  const { object, namespace } = review.request;
  const current = config();
  const unchanged = (reason: PodReason): Primed => ({
    decision: { kind: "skip", reason },
    mode: current.mode,
    outcomes: [],
    pod: object,
    statusLeftOut: false,
  });
  const reason = notOurs(review);
  if (reason) return { primed: unchanged(reason), patch: [] };
  try {
    const primed = prime(object, { namespace, podSecurity, config: current, bundles: bundles?.() ?? [] });
    return { primed, patch: primed.pod === object ? [] : diff(object as object, primed.pod as object) };
  } catch (error) {
    return { primed: unchanged("internal-error"), patch: [], error };
  }
}
