import { startEditing } from "./editing.ts";
import type { Profile } from "../config/schema.ts";
import { brokenInvariants } from "./invariants.ts";
import type { Pod } from "../pod/types.ts";
import type { MutationReason } from "../report/reasons.ts";
import type { Mutation, MutationName, Remark, Surroundings, Verdict } from "./mutation.ts";

/** What became of one mutation. `error` is for the log: what it threw, or what it would have broken. */
export type Outcome = { readonly mutation: MutationName; readonly notes: readonly Remark[] } & (
  | { readonly result: "applied" }
  | { readonly result: "skipped"; readonly reason: MutationReason; readonly error?: unknown }
);

/**
 * Applies the mutations one after the other. Each stands alone: one that does not apply, throws, or leaves the pod
 * unsound is discarded whole, and the others still get their turn.
 *
 * @returns the pod (the same object if nothing was done) and what became of each mutation, in their order
 */
export function runMutations(
  mutations: readonly Mutation[],
  pod: Pod,
  profile: Profile,
  surroundings: Surroundings,
): { pod: Pod; outcomes: Outcome[] } {
  const outcomes: Outcome[] = [];
  let current = pod;
  for (const mutation of mutations) {
    const { next, outcome } = runOne(mutation, current, profile, surroundings);
    current = next;
    outcomes.push(outcome);
  }
  return { pod: current, outcomes };
}

function runOne(
  mutation: Mutation,
  pod: Pod,
  profile: Profile,
  surroundings: Surroundings,
): { next: Pod; outcome: Outcome } {
  const skipped = (reason: MutationReason, notes: readonly Remark[] = [], error?: unknown) => ({
    next: pod,
    outcome: {
      mutation: mutation.name,
      result: "skipped" as const,
      reason,
      notes,
      ...(error !== undefined && { error }),
    },
  });
  try {
    const unwanted = mutation.unwanted(profile);
    if (unwanted) return skipped(unwanted);
    const { copy, finish } = startEditing(pod);
    const verdict = mutation.mutate(copy, profile, surroundings) as Verdict | undefined;
    if (!verdict) throw new Error(`${mutation.name} gave no verdict`);
    if (!verdict.applies) return skipped(verdict.reason);
    const next = finish();
    if (next === pod) return skipped("already-there", verdict.notes);
    const broken = brokenInvariants(pod, next, mutation.may);
    if (broken.length > 0) return skipped("invariant-broken", [], new Error(broken.join("; ")));
    return { next, outcome: { mutation: mutation.name, result: "applied", notes: verdict.notes } };
  } catch (error) {
    return skipped("mutation-failed", [], error);
  }
}
