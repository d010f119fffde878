import type { Profile } from "../config/schema.ts";
import type { MutationReason, Note } from "../runner/reasons.ts";
import type { Pod } from "../pod/types.ts";

export type MutationName = "wait-for-docker" | "registry-mirror" | "dockerd-settings";

/** What else there is to say: a note, or the reason why a part was left out. */
export type Remark = Note | MutationReason;

/** What a mutation says of itself: it did its part, or why it does not apply. */
export type Verdict = { applies: true; notes: Remark[] } | { applies: false; reason: MutationReason };

export interface Mutation {
  readonly name: MutationName;
  /**
   * Edits the pod, which is a draft: plain assignments, kept only if the mutation applies and the pod stays sound.
   * Edit only what has to change: a pod that has everything already must come out untouched.
   */
  mutate(pod: Pod, profile: Profile): Verdict;
}

export function applies(...notes: Remark[]): Verdict {
  return { applies: true, notes };
}

export function doesNotApply(reason: MutationReason): Verdict {
  return { applies: false, reason };
}
