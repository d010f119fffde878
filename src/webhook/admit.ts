import type { Config } from "../config/schema.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Mutation, PodSecurity } from "../engine/mutation.ts";
import { diff } from "../engine/diff.ts";
import type { JsonPatch } from "../engine/diff.ts";
import { prime } from "../engine/prime.ts";
import type { Primed } from "../engine/prime.ts";
import type { Code, PodReason } from "../report/reasons.ts";
import { explain } from "../report/reasons.ts";
import { problemsOf } from "../report/report.ts";
import { decodeReview, encodeResponse, notOurs } from "./review.ts";
import type { Review } from "./review.ts";

/**
 * Takes a parsed request body, gives the answer's, as text; throws UnreadableReview where there is nobody to answer to.
 * What the namespace enforces is not in the review: the path that it came by tells.
 */
export type Admit = (body: unknown, podSecurity: PodSecurity) => string;

export interface AdmitParts {
  /** The configuration in force, asked for at every review. */
  readonly config: () => Config;
  readonly mutations: readonly Mutation[];
  readonly version: string;
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
    const told = { summary: summary(primed), problems: problemsOf(primed) };
    record(review, { primed, patch, error, milliseconds, ...told }, parts);
    return encodeResponse(review, {
      patch,
      warnings: told.problems.map((code) => `arc-primer: ${explain(code)} (${code})`),
      auditAnnotations: { decision: JSON.stringify(told.summary) },
    });
  };
}

interface Examined {
  primed: Primed;
  patch: JsonPatch;
  error?: unknown;
}

/** The one try/catch: nothing that goes wrong beyond it reaches kube-apiserver. */
function examine(review: Review, podSecurity: PodSecurity, { config, mutations, version }: AdmitParts): Examined {
  const { object, namespace } = review.request;
  const reason = notOurs(review);
  if (reason) return { primed: skipped(object, reason), patch: [] };
  try {
    const primed = prime(object, { namespace, podSecurity, config: config(), mutations, version });
    return { primed, patch: primed.pod === object ? [] : diff(object as object, primed.pod as object) };
  } catch (error) {
    return { primed: skipped(object, "internal-error"), patch: [], error };
  }
}

function skipped(pod: unknown, reason: PodReason): Primed {
  return { decision: { kind: "skip", reason }, mode: "enforce", outcomes: [], pod, statusLeftOut: false };
}

/** The decision in the vocabulary that annotation, log, audit log and metrics share. Never a part of the pod's spec. */
function summary({ decision, mode, outcomes }: Primed): object {
  if (decision.kind === "skip") return { decision: "skip", reason: decision.reason };
  return {
    decision: "mutate",
    mode,
    profile: decision.profile.name,
    ...(decision.problem && { problem: decision.problem }),
    applied: outcomes.filter(({ result }) => result === "applied").map(({ mutation }) => mutation),
    skipped: Object.fromEntries(
      outcomes.flatMap((outcome) => (outcome.result === "skipped" ? [[outcome.mutation, outcome.reason]] : [])),
    ),
  };
}

function record(
  { request }: Review,
  {
    primed,
    error,
    patch,
    milliseconds,
    ...told
  }: Examined & {
    milliseconds: number;
    summary: object;
    problems: readonly Code[];
  },
  { log, metrics }: AdmitParts,
): void {
  const { decision, mode, outcomes } = primed;
  metrics.decision(decision.kind, decision.kind === "skip" ? decision.reason : "", mode, milliseconds / 1000);
  for (const outcome of outcomes) {
    metrics.mutation(outcome.mutation, outcome.result, outcome.result === "skipped" ? outcome.reason : "");
  }

  const errors = [
    error,
    ...outcomes.map((outcome) => (outcome.result === "skipped" ? outcome.error : undefined)),
  ].filter((one) => one !== undefined);
  const line = {
    uid: request.uid,
    namespace: short(request.namespace),
    pod: short(nameOf(request.name, request.object)),
    ...(decision.scaleSet && { scaleSet: short(decision.scaleSet) }),
    ...told.summary,
    patchOperations: patch.length,
    ...(request.dryRun && { dryRun: true }),
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    ...(errors.length > 0 && {
      errors: errors.map((one) => (one instanceof Error ? (one.stack ?? one.message) : String(one))),
    }),
  };
  if (told.problems.length > 0) log.warn(line, "decision");
  else log.info(line, "decision");
}

/** As long as names in Kubernetes can be: what arrives here has not been validated. */
function short(text: string): string {
  return text.slice(0, 253);
}

/** The pod's name, or what the API server will make one from. */
function nameOf(requestName: string, object: unknown): string {
  if (requestName) return requestName;
  const { metadata } = (object ?? {}) as { metadata?: { name?: unknown; generateName?: unknown } | null };
  const { name, generateName } = metadata ?? {};
  if (typeof name === "string" && name) return name;
  return typeof generateName === "string" ? `${generateName}*` : "";
}
