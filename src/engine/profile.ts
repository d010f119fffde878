import type { Config, Profile, Rule } from "../config/schema.ts";
import { matchesPattern } from "../pod/name-pattern.ts";
import type { Note } from "../report/reasons.ts";

export const profileAnnotation = "arc-primer.dev/profile";

export interface Choice {
  readonly profile: Profile;
  /** The index of the matching rule in `rules`. Undefined if no rule matches. */
  readonly rule: number | undefined;
  /** Set if the pod requested a profile that it did not get. */
  readonly problem?: Note;
}

/**
 * Chooses the profile of a runner pod: the profile of the first rule that matches its namespace and scale set, or `default`
 * if no rule matches. The pod's annotation may select another profile, but only one of the rule's `allowedProfiles`.
 */
export function chooseProfile(
  config: Config,
  runner: { namespace: string; scaleSet: string },
  wanted: string | undefined,
): Choice {
  const index = config.rules.findIndex((candidate) => matches(candidate, runner));
  const found = config.rules[index];
  const rule = found ? index : undefined;
  const name = found?.profile ?? "default";
  const profile = profileNamed(config, name);
  if (wanted === undefined || wanted === name) return { profile, rule };
  if (!Object.hasOwn(config.profiles, wanted)) return { profile, rule, problem: "unknown-profile" };
  if (!found?.allowedProfiles.includes(wanted)) return { profile, rule, problem: "profile-not-allowed" };
  return { profile: profileNamed(config, wanted), rule };
}

function profileNamed(config: Config, name: string): Profile {
  const profile = config.profiles[name];
  // Cannot happen: a configuration with a rule for an unknown profile is rejected, and `default` always exists.
  if (!profile) throw new Error(`the configuration has no profile ${name}`);
  return profile;
}

function matches(rule: Rule, runner: { namespace: string; scaleSet: string }): boolean {
  return (
    rule.namespaces.some((pattern) => matchesPattern(pattern, runner.namespace)) &&
    rule.scaleSets.some((pattern) => matchesPattern(pattern, runner.scaleSet))
  );
}
