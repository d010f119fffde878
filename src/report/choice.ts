import type { Statement } from "./account.ts";

/** How a runner pod came by its profile. */
export interface ProfileChoice {
  readonly namespace: string;
  /** Empty where the pod has none. */
  readonly scaleSet: string;
  readonly profile: string;
  /** The place of the rule that matched; undefined where none did. */
  readonly rule: number | undefined;
  /** Whether the pod's annotation chose it among what the rule allows. */
  readonly byAnnotation: boolean;
}

/** The choice of the profile, and what decides about it. */
export function choiceStatement({ namespace, scaleSet, profile, rule, byAnnotation }: ProfileChoice): Statement {
  const runner = `the namespace ${namespace} and ${scaleSet ? `the scale set ${scaleSet}` : "pods without a scale set"}`;
  if (byAnnotation) {
    const text = `The profile is ${profile}: the pod asks for it, and rules[${rule}].allowedProfiles allows it.`;
    return { text, setting: { where: "pod", name: "annotation arc-primer.dev/profile" } };
  }
  if (rule === undefined) {
    const text = `The profile is ${profile}, because no rule matches ${runner}.`;
    return { text, setting: { where: "configuration", name: "rules" } };
  }
  const text = `The profile is ${profile}: rules[${rule}] is the first that matches ${runner}.`;
  return { text, setting: { where: "configuration", name: `rules[${rule}].profile` } };
}
