// The messages for a configuration that does not match the schema. The schema contains the messages that are specific to
// a value. All others are here, so that users never see zod's own messages.
import type * as z from "zod";
import { quote } from "./addresses.ts";
import { schemaAt } from "./json-schema.ts";
import type { Schema } from "./json-schema.ts";
import { nearest } from "./nearest.ts";
import { spell } from "./problem.ts";
import type { Path, Problem } from "./problem.ts";

type RawIssue = z.core.$ZodRawIssue;

/** zod's names of types, in YAML's terms. */
const kinds: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** The message for an issue whose schema has no message. For `safeParse(…, { error: word })`. */
export function word(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return expected(kinds[issue.expected] ?? issue.expected, issue.input);
    case "invalid_value":
      return notOneOf(issue.values.map(String), issue.input);
    case "too_small":
      if (issue.origin === "string") return "must not be empty";
      if (issue.origin === "array") return `must have at least ${items(issue.minimum)}`;
      return expected(`at least ${issue.minimum}`, issue.input);
    case "too_big":
      if (issue.origin === "string") return `must have at most ${issue.maximum} characters`;
      if (issue.origin === "array") return `must have at most ${items(issue.maximum)}`;
      return expected(`at most ${issue.maximum}`, issue.input);
    default:
      return "is not a valid value";
  }
}

/** The problems in one issue of zod, each with its path. */
export function problemsOf(issue: z.core.$ZodIssue, prefix: Path = []): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownSetting(path, key) }));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map(({ message }) => ({ path, message }));
  }
  return [{ path, message: issue.message }];
}

function expected(what: string, input: unknown): string {
  if (input === undefined) return `is missing: expected ${what}`;
  if (input === null) return `has no value: expected ${what}`;
  if (Array.isArray(input)) return `expected ${what}, not a list`;
  if (typeof input === "object") return `expected ${what}, not a map`;
  if (typeof input !== "string")
    return `expected ${what}, not ${String(input)}${isString(what) ? ": put it in quotes" : ""}`;
  // A string may be a password in the wrong place. It is repeated only if it is short and a word is expected.
  return `expected ${what}, not ${isMapOrList(what) || input.length > 20 ? "a string" : quote(input)}`;
}

const isString = (what: string) => what === kinds["string"];
const isMapOrList = (what: string) => [kinds["object"], kinds["array"]].includes(what);

function notOneOf(values: readonly string[], input: unknown): string {
  const meant = typeof input === "string" ? nearest(input, values) : undefined;
  return (
    expected(values.length === 1 ? values[0]! : `one of ${values.join(", ")}`, input) +
    (meant && values.length > 1 ? `; did you mean ${meant}?` : "")
  );
}

function items(count: number | bigint): string {
  return count === 1 ? "one item" : `${count} items`;
}

/** Suggests the setting that was probably meant. If there is none, lists the known settings. */
function unknownSetting(path: Path, key: string): string {
  const known = Object.keys(schemaAt(path)?.properties ?? {});
  const meant = nearest(key, known) ?? elsewhere(path, key);
  const hint = meant ? `did you mean ${meant}?` : `known settings: ${known.join(", ")}`;
  return `unknown setting; ${hint}`;
}

/** The path of the setting with this name in a profile. Undefined if there are several or none. */
function elsewhere(path: Path, key: string): string | undefined {
  const profile: Path = path[0] === "profiles" && path.length > 1 ? path.slice(0, 2) : ["profiles", "default"];
  const found = placesOf(key, schemaAt(profile), profile);
  return found.length === 1 ? spell(found[0]!) : undefined;
}

function placesOf(key: string, schema: Schema | undefined, path: Path): Path[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, part]) => [
    ...(name === key ? [[...path, name]] : []),
    ...placesOf(key, part, [...path, name]),
  ]);
}
