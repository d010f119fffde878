import type { Config, Profile } from "../config/schema.ts";
import { isPod } from "../pod/shape.ts";
import type { Pod } from "../pod/types.ts";
import { identify } from "./identify.ts";
import { chooseProfile, profileAnnotation } from "./profile.ts";
import type { Note, PodReason } from "../report/reasons.ts";

/** What is to happen to a pod. `problem`: the profile that the pod asked for was not given. */
export type Decision =
  | { readonly kind: "skip"; readonly reason: PodReason; readonly scaleSet?: string }
  | {
      readonly kind: "mutate";
      readonly pod: Pod;
      readonly scaleSet: string;
      readonly profile: Profile;
      readonly problem?: Note;
    };

/**
 * Decides whether a pod is to be primed, and by which profile.
 *
 * @param object what the review or the file holds; nothing is assumed of it
 * @param namespace the namespace of the request: the pod's own field may still be empty
 */
export function decide(object: unknown, namespace: string, config: Config): Decision {
  if (!isPod(object)) return { kind: "skip", reason: "malformed-pod" };
  const identity = identify(object);
  if (identity.kind === "skip") return identity;
  const { scaleSet } = identity.runner;
  const wanted = object.metadata.annotations?.[profileAnnotation];
  const choice = chooseProfile(config, { namespace, scaleSet }, wanted);
  if (!choice.profile.enabled) return { kind: "skip", reason: "profile-disabled", scaleSet };
  return { kind: "mutate", pod: object, scaleSet, ...choice };
}
