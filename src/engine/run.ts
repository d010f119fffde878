import type { Profile } from "../config/schema.ts";
import type { Pod } from "../pod/types.ts";
import type { Outcome, Remark } from "../report/decision.ts";
import type { MutationReason } from "../report/reasons.ts";
import { startEditing } from "./editing.ts";
import { brokenInvariants } from "./invariants.ts";
import type { Permission } from "./invariants.ts";
import type { Edit, Mutation, PodContext, Verdict } from "./mutation.ts";

/** A mutation configured for one profile: its edit, or an outcome that is the same for all pods of the profile. */
export type ConfiguredMutation =
  { readonly name: string; readonly may: readonly Permission[]; readonly edit: Edit } | { readonly outcome: Outcome };

/** Configures each mutation for a profile. One that throws is skipped for all pods of the profile. */
export function configureMutations(mutations: readonly Mutation[], profile: Profile): ConfiguredMutation[] {
  return mutations.map((mutation) => {
    const { name, permissions: may = [] } = mutation;
    try {
      const edit = mutation.configure(profile);
      return typeof edit === "function" ? { name, may, edit } : { outcome: skipped(name, edit) };
    } catch (error) {
      return { outcome: skipped(name, "mutation-failed", [], error) };
    }
  });
}

/**
 * Applies the mutations in order. They are independent: if one does not apply, throws, or breaks an invariant, all its
 * changes are discarded, and the others still apply.
 *
 * @returns the pod (the same object if nothing changed) and the outcome of each mutation, in order
 */
export function runMutations(
  mutations: readonly ConfiguredMutation[],
  pod: Pod,
  context: PodContext,
): { pod: Pod; outcomes: Outcome[] } {
  let current = pod;
  const outcomes = mutations.map((mutation) => {
    if ("outcome" in mutation) return mutation.outcome;
    const { next, outcome } = runOne(mutation, current, context);
    current = next;
    return outcome;
  });
  return { pod: current, outcomes };
}

function runOne(
  { name, may, edit }: Exclude<ConfiguredMutation, { outcome: Outcome }>,
  pod: Pod,
  context: PodContext,
): { next: Pod; outcome: Outcome } {
  const unchanged = (...rest: [MutationReason, (readonly Remark[])?, unknown?]) => ({
    next: pod,
    outcome: skipped(name, ...rest),
  });
  try {
    const { copy, finish } = startEditing(pod);
    const verdict = edit(copy, context) as Verdict | undefined;
    if (!verdict) throw new Error(`${name} returned no verdict`);
    if (!verdict.applies) return unchanged(verdict.reason);
    const next = finish();
    if (next === pod) return unchanged("already-there", verdict.notes);
    const broken = brokenInvariants(pod, next, may);
    if (broken.length > 0) return unchanged("invariant-broken", [], new Error(broken.join("; ")));
    return { next, outcome: { mutation: name, result: "applied", notes: verdict.notes } };
  } catch (error) {
    return unchanged("mutation-failed", [], error);
  }
}

function skipped(mutation: string, reason: MutationReason, notes: readonly Remark[] = [], error?: unknown): Outcome {
  return { mutation, result: "skipped", reason, notes, ...(error !== undefined && { error }) };
}
