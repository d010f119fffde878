import type { MutationReason, Note, PodReason } from "./reasons.ts";

// The types of the results for a pod. They contain only what may be logged and shown, never parts of the pod's spec.

/** Whether a pod is primed, with the profile, or the reason why it is skipped. */
export type Decision =
  | {
      readonly kind: "skip";
      readonly reason: PodReason;
      readonly scaleSet?: string;
      readonly problem?: never;
      /** For a malformed pod: the first invalid field, such as `spec.containers[0].name`. */
      readonly field?: string;
    }
  | {
      readonly kind: "mutate";
      readonly reason?: never;
      /** The profile's name. */
      readonly profile: string;
      /** The name of the scale set; empty if the pod has no label for it. */
      readonly scaleSet: string;
      /** Set if the pod requested a profile that it did not get. */
      readonly problem?: Note;
    };

/** Additional information about a mutation: a note, or the reason why a part of it was left out. */
export type Remark = Note | MutationReason;

/** The result of one mutation. */
export type Outcome = { readonly mutation: string; readonly notes: readonly Remark[] } & (
  | { readonly result: "applied"; readonly reason?: never; readonly error?: never }
  /** `error` is for the log: the error that the mutation threw, or the invariants that it would have broken. */
  | { readonly result: "skipped"; readonly reason: MutationReason; readonly error?: unknown }
);

/** The complete result for one pod. */
export interface Primed {
  readonly decision: Decision;
  readonly mode: "enforce" | "audit";
  /** The outcome of each mutation (in audit mode, the outcome it would have had). Empty if the pod was skipped. */
  readonly outcomes: readonly Outcome[];
  /** The resulting pod. The same object as the input if nothing changes. */
  readonly pod: unknown;
  /** Whether the status annotation was left out because the pod's annotations have reached their size limit. */
  readonly statusLeftOut: boolean;
}

/** The outcomes to show to users. Mutations that the profile does not configure are left out. */
export function reported(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ reason }) => reason !== "not-configured");
}
