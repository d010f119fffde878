import { frozen } from "./frozen.ts";
import type { Path, Problem } from "./problem.ts";
import { registryProblems } from "./check.ts";
import { nearest } from "./nearest.ts";
import { configSchema, profileSchema } from "./schema.ts";
import type { Config, Profile } from "./schema.ts";
import { profileName } from "./values.ts";
import { problemsOf, word } from "./wording.ts";

export type Resolved = { config: Config; problems?: never } | { config?: never; problems: Problem[] };

const emptyFile =
  "there is nothing in it: it needs at least apiVersion and kind; arc-primer config init prints a start";

/**
 * Makes a configuration out of what its file says: checks it, merges profiles with what they extend, fills in defaults.
 *
 * @param raw the file's content as plain data; nothing is assumed of it
 * @returns the deeply frozen configuration, or every problem that was found
 */
export function resolve(raw: unknown): Resolved {
  if (raw === null) return { problems: [{ path: [], message: emptyFile }] };
  const parsed = configSchema.safeParse(raw, { error: word });
  // The profiles as they were written: defaults must come in after the merge, or they would override the base.
  const written: RawProfiles = { default: {}, ...mapOf(mapOf(raw)["profiles"]) };
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue))),
    ...undefinedNames(written, mapOf(raw)["rules"]),
  ];
  if (!parsed.success || problems.length > 0) return { problems };

  const profiles = Object.keys(written).map((name): [string, Profile] => {
    // Each part was found valid above, and a merge only replaces one valid part by another; what it can combine
    // wrongly (a request over the limit) is found here.
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
  return { config: frozen({ mode, rules, profiles: Object.fromEntries(profiles) }) };
}

/** Profiles before they are checked: anything may stand there. */
type RawProfiles = Record<string, unknown>;

function undefinedNames(profiles: RawProfiles, rules: unknown): Problem[] {
  const known = Object.keys(profiles);
  const missing = (name: unknown, path: Path): Problem[] => {
    if (typeof name !== "string" || known.includes(name)) return [];
    if (!profileName.safeParse(name).success) return []; // which is said already
    const meant = nearest(name, known);
    const hint = meant ? `did you mean ${meant}?` : `there are: ${known.join(", ")}`;
    return [{ path, message: `there is no profile ${name}; ${hint}` }];
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

/** The names a profile extends, directly and indirectly; ends where a name repeats. */
function baseChain(profiles: RawProfiles, name: string): string[] {
  const chain: string[] = [];
  for (let base = baseOf(profiles, name); base && !chain.includes(base); base = baseOf(profiles, base))
    chain.push(base);
  return chain;
}

/** A profile with all that it extends. Only for profiles that were found to lead somewhere. */
function merged(profiles: RawProfiles, name: string): unknown {
  const base = baseOf(profiles, name);
  return base === undefined ? profiles[name] : mergeMaps(merged(profiles, base), profiles[name]);
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

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
