import type { Path, Problem } from "./problem.ts";
import type { Config, Profile, Rule } from "./schema.ts";

const credentials = /https?:\/\/(?![$])[^\s/?#@]+@/i;

/**
 * What a configuration allows that its author may not have meant. Nothing here is an error, and none of the values is
 * repeated.
 */
export function warningsOf({ profiles, rules }: Config): Problem[] {
  return [
    ...Object.entries(profiles).flatMap(([name, profile]) => urlsWithCredentials(profile, ["profiles", name])),
    ...rules.flatMap((rule, index) => rightsByLabel(rule, ["rules", index, "scaleSets"], profiles)),
  ];
}

/** Everyone who may read pods, or who reaches the webhook, can read them (docs/operations/security-model.md). */
function urlsWithCredentials(value: unknown, path: Path): Problem[] {
  if (typeof value === "string") {
    const message =
      "there are credentials in this URL, and everyone who may read pods can read them; docker.daemon.env takes them from a Secret (valueFrom)";
    return credentials.test(value) ? [{ path, message }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    return urlsWithCredentials(part, [...path, Array.isArray(value) ? Number(key) : key]);
  });
}

/** A scale set's name is a label, which the author of a pod writes. A namespace is nothing that a pod can choose. */
function rightsByLabel(rule: Rule, path: Path, profiles: Config["profiles"]): Problem[] {
  if (!rule.namespaces.includes("*") || rule.scaleSets.includes("*")) return [];
  return [rule.profile, ...rule.allowedProfiles].flatMap((name) => {
    const gives = giftsOf(profiles[name]!);
    if (gives.length === 0) return [];
    const message = `the profile ${name} gives ${gives.join(" and ")} to any pod with this label, in every namespace, and the author of a pod chooses its labels; name the namespaces as well`;
    return [{ path, message }];
  });
}

function giftsOf({ docker, privateCA }: Profile): string[] {
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
