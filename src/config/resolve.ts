import { freeze } from "immer";
import type { z } from "zod";
import { configSchema, profileSchema } from "./schema.ts";
import type { Config, Profile } from "./schema.ts";

export type Path = readonly PropertyKey[];
/** One thing that is wrong with a configuration, and where. */
export interface Problem {
  path: Path;
  message: string;
}

export type Resolved = { config: Config; problems?: never } | { config?: never; problems: Problem[] };

/**
 * Makes a configuration out of what its file says: checks it, merges profiles with what they extend, fills in defaults.
 *
 * @param raw the file's content as plain data; nothing is assumed of it
 * @returns the deeply frozen configuration, or every problem that was found
 */
export function resolve(raw: unknown): Resolved {
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => problemsOf(issue)) };

  const { mode, rules } = parsed.data;
  // The profiles as they were written: defaults must come in after the merge, or they would override the base.
  const written = { default: {}, ...(raw as { profiles?: Record<string, RawProfile> }).profiles };
  const problems = [...undefinedNames(written, rules)];
  if (problems.length > 0) return { problems };

  const profiles = Object.entries(written).map(([name, profile]): [string, Profile] => {
    // Each part was found valid above, and a merge only replaces one valid part by another; what it can combine
    // wrongly (a request over the limit) is found here.
    const result = profileSchema.safeParse(merged(written, profile));
    if (!result.success) {
      problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, ["profiles", name])));
      return [name, undefined as never];
    }
    const { extends: _, ...settings } = result.data;
    return [name, { name, ...settings }];
  });
  if (problems.length > 0) return { problems };
  return { config: freeze({ mode, rules, profiles: Object.fromEntries(profiles) }, true) };
}

type RawProfile = { extends?: string; [key: string]: unknown };

function undefinedNames(profiles: Record<string, RawProfile>, rules: Config["rules"]): Problem[] {
  const known = Object.keys(profiles);
  const missing = (name: string, path: Path): Problem[] =>
    known.includes(name) ? [] : [{ path, message: `there is no profile ${name}; there are: ${known.join(", ")}` }];
  return [
    ...Object.entries(profiles).flatMap(([name, profile]) => {
      const path = ["profiles", name, "extends"];
      if (!profile.extends) return [];
      if (baseChain(profiles, name).includes(name)) return [{ path, message: "the profile extends itself" }];
      return missing(profile.extends, path);
    }),
    ...rules.flatMap((rule, index) => [
      ...missing(rule.profile, ["rules", index, "profile"]),
      ...rule.allowedProfiles.flatMap((name, position) => missing(name, ["rules", index, "allowedProfiles", position])),
    ]),
  ];
}

/** The names a profile extends, directly and indirectly; ends where a name repeats. */
function baseChain(profiles: Record<string, RawProfile>, name: string): string[] {
  const chain: string[] = [];
  for (let base = profiles[name]?.extends; base && !chain.includes(base); base = profiles[base]?.extends)
    chain.push(base);
  return chain;
}

function merged(profiles: Record<string, RawProfile>, profile: RawProfile): RawProfile {
  const base = profile.extends ? profiles[profile.extends] : undefined;
  return base ? (mergeMaps(merged(profiles, base), profile) as RawProfile) : profile;
}

/** Maps merge, lists and scalars replace. */
function mergeMaps(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    result[key] = Object.hasOwn(base, key) ? mergeMaps(base[key], value) : value;
  }
  return result;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function problemsOf(issue: z.core.$ZodIssue, prefix: Path = []): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: "there is no such setting" }));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map(({ message }) => ({ path, message }));
  }
  return [{ path, message: issue.message }];
}
