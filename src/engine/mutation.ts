import type { Profile } from "../config/schema.ts";
import type { MutationReason, Note } from "../report/reasons.ts";
import type { Permission } from "./invariants.ts";
import type { Pod } from "../pod/types.ts";

export type MutationName =
  | "inject-docker"
  | "graceful-end"
  | "wait-for-docker"
  | "docker-credentials"
  | "registry-mirror"
  | "dockerd-settings"
  | "registry-hosts"
  | "buildkit-mirrors"
  | "dagger-mirrors"
  | "private-ca"
  | "prerequisites";

/** What else there is to say: a note, or the reason why a part was left out. */
export type Remark = Note | MutationReason;

/** What a mutation says of itself: it did its part, or why it does not apply. */
export type Verdict = { applies: true; notes: Remark[] } | { applies: false; reason: MutationReason };

/** What is known of a pod's surroundings, which the pod itself does not say. */
export interface Surroundings {
  readonly podSecurity: PodSecurity;
}

/** The levels of Pod Security that a namespace can enforce, and so what pods in it may be (kubernetes.io/docs, Pod Security Standards). */
export const podSecurityLevels = ["privileged", "baseline", "restricted"] as const;
export type PodSecurity = (typeof podSecurityLevels)[number];

/** One thing that is done to a pod; docs/adding-a-mutation.md has the rules. */
export interface Mutation {
  readonly name: MutationName;
  /** What it may do that no other mutation may; nothing, unless it says so. */
  readonly may?: readonly Permission[];
  /** Why the profile has no use for this, if it hasn't: then no pod is copied for it. */
  unwanted(profile: Profile): MutationReason | undefined;
  /**
   * Edits a copy of the pod: plain assignments, kept only if the mutation applies and the pod stays sound. Called only
   * for profiles that want it.
   * Edit only what has to change: a pod that has everything already must come out untouched.
   */
  mutate(pod: Pod, profile: Profile, surroundings: Surroundings): Verdict;
}

/** It did its part, or everything was there already; with what else there is to say. */
export function applies(...notes: Remark[]): Verdict {
  return { applies: true, notes };
}

/** It has nothing to do for this pod; whatever it edited is dropped. */
export function doesNotApply(reason: MutationReason): Verdict {
  return { applies: false, reason };
}
