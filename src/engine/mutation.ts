import type { Bundle } from "../bundles/bundle.ts";
import type { Profile } from "../config/schema.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Pod } from "../pod/types.ts";
import type { Remark } from "../report/decision.ts";
import type { MutationReason } from "../report/reasons.ts";
import type { Permission } from "./invariants.ts";

/** One thing that is done to pods. docs/adding-a-mutation.md has the rules. */
export interface Mutation {
  readonly name: string;
  /** What this mutation may do that others may not. */
  readonly may?: readonly Permission[];
  /**
   * Looks at a profile, once, before its first pod.
   *
   * @returns the edit for this profile's pods, or why the profile has no use for the mutation: then no pod is copied
   */
  configure(profile: Profile): Edit | MutationReason;
}

/**
 * Edits a copy of a pod by plain assignments. The edits are kept only if the edit applies and the pod stays sound. Change
 * only what has to change: a pod that has everything already must come out untouched.
 */
export type Edit = (pod: Pod, context: PodContext) => Verdict;

/** What is known about a pod that the pod itself does not say. */
export interface PodContext {
  /** The level that the pod's namespace enforces. */
  readonly podSecurity: PodSecurity;
  /** The package bundles that are ready, of all profiles and images. None if absent. */
  readonly bundles?: readonly Bundle[];
}

/** Whether an edit applies to a pod, and what it left alone; or why it does not apply. */
export type Verdict = { applies: true; notes: Remark[] } | { applies: false; reason: MutationReason };

/** The edit applies, or everything was there already. The notes tell what it left alone. */
export function applies(...notes: Remark[]): Verdict {
  return { applies: true, notes };
}

/** The edit does not apply to this pod. Whatever it has changed so far is discarded. */
export function doesNotApply(reason: MutationReason): Verdict {
  return { applies: false, reason };
}

/**
 * The verdict on an edit that was made on several containers: it applies if it applies to one of them. Why it does not
 * apply to another is then a note.
 */
export function together(verdicts: readonly [Verdict, ...Verdict[]]): Verdict {
  if (verdicts.every(({ applies: one }) => !one)) return verdicts[0];
  const remarks = verdicts.flatMap((verdict) => (verdict.applies ? verdict.notes : [verdict.reason]));
  return applies(...new Set(remarks));
}
