import type { Config, Profile } from "../config/schema.ts";
import { isPod, misshapenField } from "../pod/shape.ts";
import { isTooLarge } from "../pod/size.ts";
import type { Pod } from "../pod/types.ts";
import type { Decision } from "../report/decision.ts";
import type { PodReason } from "../report/reasons.ts";
import { identify } from "./identify.ts";
import { chooseProfile, profileAnnotation } from "./profile.ts";

/** A decision and, if the pod is to be primed, the pod and its profile. */
export type Decided =
  | { readonly decision: Extract<Decision, { kind: "skip" }> }
  | { readonly decision: Extract<Decision, { kind: "mutate" }>; readonly pod: Pod; readonly profile: Profile };

/**
 * Decides whether to prime a pod, and with which profile.
 *
 * @param object the unvalidated pod from the review or the file
 * @param namespace the namespace of the request, because the pod's own field may still be empty
 */
export function decide(object: unknown, namespace: string, config: Config): Decided {
  if (isTooLarge(object)) return skip("pod-too-large");
  if (!isPod(object)) {
    const field = misshapenField(object);
    return { decision: { kind: "skip", reason: "malformed-pod", ...(field !== undefined && { field }) } };
  }
  const identity = identify(object);
  if (identity.kind === "skip") return skip(identity.reason);
  const { scaleSet } = identity;
  const wanted = object.metadata.annotations?.[profileAnnotation];
  const { profile, problem } = chooseProfile(config, { namespace, scaleSet }, wanted);
  if (!profile.enabled) return skip("profile-disabled", scaleSet);
  return {
    decision: { kind: "mutate", profile: profile.name, scaleSet, ...(problem && { problem }) },
    pod: object,
    profile,
  };
}

function skip(reason: PodReason, scaleSet?: string): Decided {
  return { decision: { kind: "skip", reason, ...(scaleSet !== undefined && { scaleSet }) } };
}
