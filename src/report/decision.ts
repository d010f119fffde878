import type { MutationReason, Note, PodReason } from "./reasons.ts";

// The types of what is said about a pod. They hold what people may read, never a part of the pod's spec.

/** Whether a pod is primed, and by which profile; or why it is not. */
export type Decision =
  | {
      readonly kind: "skip";
      readonly reason: PodReason;
      readonly scaleSet?: string;
      readonly problem?: never;
      /** Of a malformed pod the first field that is wrong, such as `spec.containers[0].name`. */
      readonly field?: string;
    }
  | {
      readonly kind: "mutate";
      readonly reason?: never;
      /** The profile's name. */
      readonly profile: string;
      /** The scale set's name; empty where the pod has none. */
      readonly scaleSet: string;
      /** Set when the pod asked for a profile that it did not get. */
      readonly problem?: Note;
    };

/** What else there is to say about a mutation: a note, or the reason why a part of it was left out. */
export type Remark = Note | MutationReason;

/** What became of one mutation. */
export type Outcome = { readonly mutation: string; readonly notes: readonly Remark[] } & (
  | { readonly result: "applied"; readonly reason?: never; readonly error?: never }
  /** `error` is for the log: what the mutation threw, or what it would have broken. */
  | { readonly result: "skipped"; readonly reason: MutationReason; readonly error?: unknown }
);

/** Everything that is known after a pod has been looked at. */
export interface Primed {
  readonly decision: Decision;
  readonly mode: "enforce" | "audit";
  /** What became of each mutation, or in audit mode would have; empty where the pod was skipped. */
  readonly outcomes: readonly Outcome[];
  /** The pod as it is to be: the very object that came in where nothing is to change. */
  readonly pod: unknown;
  /** Whether the status had to be left out because the pod's annotations are full. */
  readonly statusLeftOut: boolean;
}

/** The outcomes that people are told about. What a profile does not configure is of no interest to them. */
export function reported(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ reason }) => reason !== "not-configured");
}
