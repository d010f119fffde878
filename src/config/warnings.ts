import { matchesPattern } from "../pod/name-pattern.ts";
import type { Path, Problem } from "./problem.ts";
import type { Config, Profile, Rule } from "./schema.ts";

const credentials = /https?:\/\/(?![$])[^\s/?#@]+@/i;

/**
 * Warns about what a configuration allows but its author may not have intended. These are not errors. Warnings never
 * repeat the configured values.
 */
export function warningsOf({ profiles, rules }: Config): Problem[] {
  return [
    ...Object.entries(profiles).flatMap(([name, profile]) => urlsWithCredentials(profile, ["profiles", name])),
    ...rules.flatMap((rule, index) => neverMatches(rule, index, rules)),
    ...rules.flatMap((rule, index) => impossibleNamespaces(rule, ["rules", index, "namespaces"])),
    ...rules.flatMap((rule, index) => grantsByLabel(rule, ["rules", index, "scaleSets"], profiles)),
  ];
}

/** Everyone who can read pods, or can reach the webhook, can read these credentials (docs/operations/security-model.md). */
function urlsWithCredentials(value: unknown, path: Path): Problem[] {
  if (typeof value === "string") {
    const message =
      "this URL contains credentials, which everyone who can read pods can read; docker.daemon.env can get them from a Secret (valueFrom)";
    return credentials.test(value) ? [{ path, message }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    return urlsWithCredentials(part, [...path, Array.isArray(value) ? Number(key) : key]);
  });
}

/** The first matching rule applies, so a rule has no effect if the rules before it match all its pods. */
function neverMatches(rule: Rule, index: number, rules: readonly Rule[]): Problem[] {
  const pairs = rule.namespaces.flatMap((namespace) => rule.scaleSets.map((scaleSet) => ({ namespace, scaleSet })));
  const covering = pairs.map(({ namespace, scaleSet }) =>
    rules
      .slice(0, index)
      .findIndex((before) => covers(before.namespaces, namespace) && covers(before.scaleSets, scaleSet)),
  );
  if (covering.includes(-1)) return [];
  const before = [...new Set(covering)].toSorted((a, b) => a - b).map((number) => `rules[${number}]`);
  const message = `this rule never matches: ${before.join(" and ")} ${before.length === 1 ? "matches" : "match"} all its pods first; move this rule before ${before[0]}`;
  return [{ path: ["rules", index], message }];
}

/**
 * Whether one of the patterns matches everything that the other pattern matches. No name contains `*`, so a `*` in the
 * other pattern is compared as text.
 */
function covers(patterns: readonly string[], other: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, other));
}

function impossibleNamespaces({ namespaces }: Rule, path: Path): Problem[] {
  return namespaces.flatMap((namespace, position) => {
    const message = `${namespace} cannot match any namespace: a namespace name has at most 63 characters and no dots`;
    return namespace.includes(".") || namespace.replaceAll("*", "").length > 63
      ? [{ path: [...path, position], message }]
      : [];
  });
}

/** A scale set's name is a label, which a pod's author can set freely. The author cannot choose the namespace. */
function grantsByLabel(rule: Rule, path: Path, profiles: Config["profiles"]): Problem[] {
  if (!rule.namespaces.includes("*") || rule.scaleSets.includes("*")) return [];
  return [rule.profile, ...rule.allowedProfiles].flatMap((name) => {
    const gives = grantsOf(profiles[name]!);
    if (gives.length === 0) return [];
    const message = `the profile ${name} gives ${gives.join(" and ")} to every pod with this label, in every namespace; the author of a pod can set its labels, so set namespaces as well`;
    return [{ path, message }];
  });
}

function grantsOf({ docker, privateCA }: Profile): string[] {
  const fromSecrets = Object.values(docker.daemon.env).some(
    (value) => typeof value !== "string" && value.valueFrom.secretKeyRef,
  );
  return [
    ...(docker.inject ? ["a privileged container (docker.inject)"] : []),
    ...(docker.credentials.secret ? ["the logins of a Secret (docker.credentials)"] : []),
    ...(fromSecrets ? ["values of a Secret (docker.daemon.env)"] : []),
    ...(privateCA?.secret ? ["a Secret (privateCA)"] : []),
  ];
}
