import type { Bundle } from "../bundles/bundle.ts";
import type { Profile } from "../config/schema.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Pod } from "../pod/types.ts";
import type { Remark } from "../report/decision.ts";
import type { MutationReason } from "../report/reasons.ts";
import type { Permission } from "./invariants.ts";

/** One kind of change to pods. See docs/adding-a-mutation.md for the rules. */
export interface Mutation {
  readonly name: string;
  /** The permissions that this mutation declares. */
  readonly permissions?: readonly Permission[];
  /**
   * Called once per profile, before its first pod.
   *
   * @returns the edit for the profile's pods, or the reason why the mutation does not apply to the profile. In that
   *   case no pod is copied
   */
  configure(profile: Profile): Edit | MutationReason;
}

/**
 * Edits a copy of a pod by plain assignments. The changes are kept only if the edit applies and breaks no invariant.
 * Change only what has to change: a pod that already has everything must not be changed.
 */
export type Edit = (pod: Pod, context: PodContext) => Verdict;

/** What is known about a pod beyond its manifest. */
export interface PodContext {
  /** The level that the pod's namespace enforces. */
  readonly podSecurity: PodSecurity;
  /** The package bundles that are ready, for all profiles and images. Absent if there are none. */
  readonly bundles?: readonly Bundle[];
}

/** Whether an edit applies to a pod. If so, with notes on what it did not change; if not, with the reason. */
export type Verdict = { applies: true; notes: Remark[] } | { applies: false; reason: MutationReason };

/** The edit applies, or everything was already in place. The notes list what it did not change. */
export function applies(...notes: Remark[]): Verdict {
  return { applies: true, notes };
}

/** The edit does not apply to this pod. Any changes that it has made are discarded. */
export function doesNotApply(reason: MutationReason): Verdict {
  return { applies: false, reason };
}

/**
 * Combines the verdicts of an edit on several containers. It applies if it applies to at least one of them. The reasons
 * why it does not apply to the others become notes.
 */
export function combineVerdicts(verdicts: readonly [Verdict, ...Verdict[]]): Verdict {
  if (verdicts.every(({ applies: one }) => !one)) return verdicts[0];
  const remarks = verdicts.flatMap((verdict) => (verdict.applies ? verdict.notes : [verdict.reason]));
  return applies(...new Set(remarks));
}
