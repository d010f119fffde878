import type { Statement } from "./account.ts";

/** How the profile of a runner pod was chosen. */
export interface ProfileChoice {
  readonly namespace: string;
  /** Empty if the pod has no scale set. */
  readonly scaleSet: string;
  readonly profile: string;
  /** The index of the rule that matched. Undefined if none did. */
  readonly rule: number | undefined;
  /** Whether the pod's annotation selected the profile, as the rule allows. */
  readonly byAnnotation: boolean;
}

/** A sentence about the choice of the profile, and the setting that decides. */
export function choiceStatement({ namespace, scaleSet, profile, rule, byAnnotation }: ProfileChoice): Statement {
  const runner = `the namespace ${namespace} and ${scaleSet ? `the scale set ${scaleSet}` : "pods without a scale set"}`;
  if (byAnnotation) {
    const text = `The profile is ${profile}: the pod requests it, and rules[${rule}].allowedProfiles allows it.`;
    return { text, setting: { where: "pod", name: "annotation arc-primer.dev/profile" } };
  }
  if (rule === undefined) {
    const text = `The profile is ${profile}, because no rule matches ${runner}.`;
    return { text, setting: { where: "configuration", name: "rules" } };
  }
  const text = `The profile is ${profile}: rules[${rule}] is the first rule that matches ${runner}.`;
  return { text, setting: { where: "configuration", name: `rules[${rule}].profile` } };
}
