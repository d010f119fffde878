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
import { warningCodes, summary } from "../report/summary.ts";
import { record } from "./record.ts";
import { decodeReview, encodeResponse, unsupportedReason } from "./review.ts";
import type { Review } from "./review.ts";

/**
 * Answers an admission review.
 *
 * @param body the parsed request body
 * @param podSecurity the level that the pod's namespace enforces. It is known from the URL path, not from the review
 * @returns the response body as text
 * @throws {UnreadableReview} if the body is not a review
 */
export type Admit = (body: unknown, podSecurity: PodSecurity) => string;

export interface AdmitParts {
  /** Returns the current configuration. Called for every review. */
  readonly config: () => Config;
  /** Returns the package bundles that are ready. Called for every review. Without it, there are none. */
  readonly bundles?: () => readonly Bundle[];
  readonly prime: Prime;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** A monotonic clock in milliseconds. */
  readonly clock: () => number;
}

/**
 * Creates the function that answers admission reviews. The pod is always admitted. After an internal error it is admitted
 * unchanged, and the reason is in the log, the metrics and a warning.
 */
export function createAdmit(parts: AdmitParts): Admit {
  return (body, podSecurity) => {
    const started = parts.clock();
    const review = decodeReview(body);
    const { primed, patch, error } = primeReview(review, podSecurity, parts);
    const milliseconds = parts.clock() - started;
    const summarized = summary(primed);
    const problems = warningCodes(primed);
    record({ review, primed, patch, error, milliseconds, summary: summarized, problems }, parts);
    return encodeResponse(review, {
      patch,
      warnings: problems.map((code) => `arc-primer: ${explain(code)} (${code})`),
      auditAnnotations: { decision: JSON.stringify(summarized) },
    });
  };
}

interface PrimedReview {
  readonly primed: Primed;
  readonly patch: JsonPatch;
  readonly error?: unknown;
}

/** Contains the only try/catch: no error below this function reaches kube-apiserver. */
function primeReview(review: Review, podSecurity: PodSecurity, { config, bundles, prime }: AdmitParts): PrimedReview {
  const { object, namespace } = review.request;
  const current = config();
  const unchanged = (reason: PodReason): Primed => ({
    decision: { kind: "skip", reason },
    mode: current.mode,
    outcomes: [],
    pod: object,
    statusLeftOut: false,
  });
  const reason = unsupportedReason(review);
  if (reason) return { primed: unchanged(reason), patch: [] };
  try {
    const primed = prime(object, { namespace, podSecurity, config: current, bundles: bundles?.() ?? [] });
    return { primed, patch: primed.pod === object ? [] : diff(object as object, primed.pod as object) };
  } catch (error) {
    return { primed: unchanged("internal-error"), patch: [], error };
  }
}
