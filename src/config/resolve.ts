import { deepFreeze } from "./deep-freeze.ts";
import type { Path, Problem } from "./problem.ts";
import { registryProblems } from "./check.ts";
import { nearest } from "./nearest.ts";
import { configSchema, profileSchema } from "./schema.ts";
import type { Config, Profile } from "./schema.ts";
import { profileName } from "./values.ts";
import { problemsOf, word } from "./wording.ts";

export type Resolved = { config: Config; problems?: never } | { config?: never; problems: Problem[] };

const emptyFile =
  "the configuration is empty: it needs at least apiVersion and kind; `arc-primer config init` prints an example";

/**
 * Resolves the raw content of a configuration file: validates it, merges each profile with its base, and fills in
 * defaults.
 *
 * @param raw the file's content as plain, unvalidated data
 * @returns the deep-frozen configuration, or every problem that was found
 */
export function resolve(raw: unknown): Resolved {
  if (raw === null) return { problems: [{ path: [], message: emptyFile }] };
  const parsed = configSchema.safeParse(raw, { error: word });
  // The profiles without defaults. Defaults must be applied after the merge, or they would override the base.
  const written: RawProfiles = { default: {}, ...mapOf(mapOf(raw)["profiles"]) };
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue))),
    ...undefinedNames(written, mapOf(raw)["rules"]),
  ];
  if (!parsed.success || problems.length > 0) return { problems };

  const profiles = Object.keys(written).map((name): [string, Profile] => {
    // Each profile was validated above, and a merge only replaces one valid value by another. An invalid combination
    // (such as a request greater than the limit) is found here.
    const result = profileSchema.safeParse(merged(written, name), { error: word });
    if (!result.success) {
      problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, ["profiles", name])));
      return [name, undefined as never];
    }
    const { extends: _, ...settings } = result.data;
    const profile = { name, ...settings };
    problems.push(...registryProblems(profile));
    return [name, profile];
  });
  if (problems.length > 0) return { problems };
  const { mode, rules } = parsed.data;
  return { config: deepFreeze({ mode, rules, profiles: Object.fromEntries(profiles) }) };
}

/** Profiles before validation. The values can be anything. */
type RawProfiles = Record<string, unknown>;

function undefinedNames(profiles: RawProfiles, rules: unknown): Problem[] {
  const known = Object.keys(profiles);
  const missing = (name: unknown, path: Path): Problem[] => {
    if (typeof name !== "string" || known.includes(name)) return [];
    if (!profileName.safeParse(name).success) return []; // reported by the schema
    const meant = nearest(name, known);
    const hint = meant ? `did you mean ${meant}?` : `defined profiles: ${known.join(", ")}`;
    return [{ path, message: `profile ${name} is not defined; ${hint}` }];
  };
  return [
    ...known.flatMap((name) => {
      const path = ["profiles", name, "extends"];
      if (baseChain(profiles, name).includes(name)) return [{ path, message: "the profile extends itself" }];
      return missing(baseOf(profiles, name), path);
    }),
    ...listOf(rules).flatMap((rule, index) => [
      ...missing(mapOf(rule)["profile"], ["rules", index, "profile"]),
      ...listOf(mapOf(rule)["allowedProfiles"]).flatMap((name, position) =>
        missing(name, ["rules", index, "allowedProfiles", position]),
      ),
    ]),
  ];
}

function baseOf(profiles: RawProfiles, name: string): string | undefined {
  const base = mapOf(profiles[name])["extends"];
  return typeof base === "string" ? base : undefined;
}

/** The names of all profiles that a profile extends, directly or indirectly. Stops at the first repeated name. */
function baseChain(profiles: RawProfiles, name: string): string[] {
  const chain: string[] = [];
  for (let base = baseOf(profiles, name); base && !chain.includes(base); base = baseOf(profiles, base))
    chain.push(base);
  return chain;
}

/** A profile merged with its base profiles. Call it only after `undefinedNames` has found no cycle and no missing base. */
function merged(profiles: RawProfiles, name: string): unknown {
  const base = baseOf(profiles, name);
  return base === undefined ? profiles[name] : mergeMaps(merged(profiles, base), profiles[name]);
}

/** Merges maps recursively. Lists and scalars in `over` replace those in `base`. */
function mergeMaps(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    result[key] = Object.hasOwn(base, key) ? mergeMaps(base[key], value) : value;
  }
  return result;
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
