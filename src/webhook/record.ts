import type { JsonPatch } from "../engine/diff.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Primed } from "../report/decision.ts";
import type { Code } from "../report/reasons.ts";
import type { Review } from "./review.ts";

/** An admission review and its result. */
export interface ReviewResult {
  readonly review: Review;
  readonly primed: Primed;
  readonly patch: JsonPatch;
  /** The error that the engine threw. */
  readonly error?: unknown;
  readonly milliseconds: number;
  readonly summary: object;
  readonly problems: readonly Code[];
}

/** Records a review in the metrics and logs it in one line, as a warning if it needs attention. */
export function record(result: ReviewResult, { log, metrics }: { log: Logger; metrics: Metrics }): void {
  const { primed, milliseconds, problems } = result;
  const { decision, mode, outcomes } = primed;
  metrics.decision(decision.kind, decision.reason ?? "", mode, milliseconds / 1000);
  for (const outcome of outcomes) metrics.mutation(outcome.mutation, outcome.result, outcome.reason ?? "");
  log[problems.length > 0 ? "warn" : "info"](logLine(result), "decision");
}

function logLine({ review, primed, patch, error, milliseconds, summary }: ReviewResult): object {
  const { request } = review;
  const { decision, outcomes } = primed;
  const errors = [error, ...outcomes.map((outcome) => outcome.error)].filter((value) => value !== undefined);
  return {
    uid: request.uid,
    namespace: truncated(request.namespace),
    pod: truncated(nameOf(request.name, request.object)),
    ...(decision.scaleSet && { scaleSet: truncated(decision.scaleSet) }),
    ...summary,
    patchOperations: patch.length,
    ...(request.dryRun && { dryRun: true }),
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    ...(errors.length > 0 && {
      errors: errors.map((value) => (value instanceof Error ? (value.stack ?? value.message) : String(value))),
    }),
  };
}

/** Truncates a text to the maximum length of Kubernetes names, because the input has not been validated. */
function truncated(text: string): string {
  return text.slice(0, 253);
}

/** The pod's name, or its generateName followed by `*`. */
function nameOf(requestName: string, object: unknown): string {
  if (requestName) return requestName;
  const { metadata } = (object ?? {}) as { metadata?: { name?: unknown; generateName?: unknown } | null };
  const { name, generateName } = metadata ?? {};
  if (typeof name === "string" && name) return name;
  return typeof generateName === "string" ? `${generateName}*` : "";
}
