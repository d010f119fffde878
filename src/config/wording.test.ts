import { describe, expect, test } from "vitest";
import { examplePem } from "../../test/support/pods.ts";
import { configJsonSchema } from "./json-schema.ts";
import type { Schema } from "./json-schema.ts";
import { resolve } from "./resolve.ts";
import { configHead } from "./schema.ts";

/** A configuration that contains only this value at this path. */
function configWith(path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (key === "[]") return [configWith(rest, value)];
  const head = key === "apiVersion" || key === "kind" ? {} : configHead;
  return { ...(isTop(key) ? head : {}), [key]: configWith(rest, value) };
}

const isTop = (key: string) => Object.hasOwn(configJsonSchema().properties ?? {}, key);

/** The paths of all maps, lists and values in the schema, with an example key for maps with arbitrary keys. */
function places(schema: Schema, path: readonly string[] = []): string[][] {
  const { properties = {}, additionalProperties, items } = schema;
  return [
    [...path],
    ...Object.entries(properties).flatMap(([key, part]) => places(part, [...path, key])),
    ...(items ? places(items, [...path, "[]"]) : []),
    ...(typeof additionalProperties === "object"
      ? places(additionalProperties, [...path, path.includes("apt") ? "http://a" : "a"])
      : []),
  ];
}

const wrong: readonly unknown[] = [undefined, null, true, false, 0, 3, -1, 1.5, 1e300, Number.NaN].concat(
  ["", "\0", "!", "yes", "x".repeat(300), examplePem] as never[],
  [[], [null], [[]], ["!"], [{}], Array.from({ length: 600 }, (_, index) => `a${index}`)] as never[],
  [{}, { zzz: 1 }, { "": 1 }, { "A b": {} }, { a: null, "\0": 1 }, { valueFrom: 1 }] as never[],
);
const found = places(configJsonSchema()).flatMap((path) =>
  wrong.flatMap((value) => (resolve(configWith(path, value)).problems ?? []).map(({ message }) => message)),
);

describe("the message for a wrong value, of every type and in every place", () => {
  test("is never a message of zod", () => {
    expect(found.length).toBeGreaterThan(1000);
    const foreign =
      /\b(Invalid|Too (big|small)|Unrecognized|received|Expected)\b|^expected (object|record|array|int)\b/;
    expect(found.filter((message) => foreign.test(message))).toEqual([]);
  });

  test("is never the generic message", () => {
    expect(found.filter((message) => message.includes("is not a valid value"))).toEqual([]);
  });

  test("is one line and not empty", () => {
    expect(found.filter((message) => !/^\S[^\n]+$/.test(message))).toEqual([]);
  });
});

describe("the message for", () => {
  const said = (path: string, value: unknown) =>
    (resolve(configWith(path.split("."), value)).problems ?? []).map(({ message }) => message);

  test.each<[string, string, unknown, string]>([
    ["null", "profiles.a.docker", null, "has no value: expected a map"],
    ["a list", "profiles.a.docker", [], "expected a map, not a list"],
    ["a map", "rules", {}, "expected a list, not a map"],
    ["a number instead of a string", "profiles.a.extends", 7, "expected a string, not 7: put it in quotes"],
    ["a string instead of a boolean", "profiles.a.enabled", "no", 'expected true or false, not "no"'],
    ["a fraction", "profiles.a.docker.daemon.mtu", 1500.5, "expected a whole number, not 1500.5"],
    ["a number above the maximum", "profiles.a.docker.wait.exitCode", 256, "expected at most 255, not 256"],
    ["an empty string", "profiles.a.prerequisites.script", "", "must not be empty"],
    ["a string that is too long", "profiles.a.runner.container", "x".repeat(64), "must have at most 63 characters"],
    [
      "a boolean instead of a quantity",
      "profiles.a.prerequisites.sizeLimit",
      true,
      "expected a quantity like 500m, 2 or 4Gi",
    ],
    [
      "a string that is not in an enum",
      "profiles.a.docker.externals",
      "vol",
      'expected one of copy, volume, memory, not "vol"',
    ],
  ])("%s", (_what, path, value, message) => expect(said(path, value)).toEqual([message]));

  test("a missing value", () => {
    expect(resolve({ rules: [{}] }).problems?.map(({ message }) => message)).toEqual([
      "is missing: expected arc-primer.dev/v1alpha1",
      "is missing: expected PrimerConfiguration",
      "is missing: expected a string",
    ]);
  });

  test("a string instead of a map does not repeat the string, which may be a password", () => {
    expect(said("profiles.a.docker.credentials", "hunter2")).toEqual(["expected a map, not a string"]);
  });
});
