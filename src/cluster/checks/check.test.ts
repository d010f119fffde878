import { describe, expect, test } from "vitest";
import { readings } from "../../../test/support/readings.ts";
import { check, counted, listed, runChecks, unreadable } from "./check.ts";
import { checks } from "./index.ts";

const problems = {
  broken: { status: "fail", means: "NAME is broken.", do: "Fix NAME_OF in NAME, not CREATE." },
} as const;
const about = { group: "cluster", description: "" } as const;

describe("a result", () => {
  test("has the texts of the problem, with the names from the finding", () => {
    const one = check({
      name: "x",
      ...about,
      problems,
      run: () => [{ problem: "broken", what: "it", names: { NAME: "a" } }],
    });
    expect(runChecks([one], readings())).toEqual([
      {
        status: "fail",
        group: "cluster",
        check: "x",
        problem: "broken",
        what: "it",
        means: "a is broken.",
        do: "Fix NAME_OF in a, not CREATE.",
      },
    ]);
  });

  test("of a check that throws reports the error, and the other checks still run", () => {
    const bad = check({
      name: "bad",
      ...about,
      problems: {},
      run() {
        throw new Error("oops");
      },
    });
    const good = check({ name: "good", ...about, problems: {}, run: () => [{ ok: "fine" }] });
    expect(runChecks([bad, good], readings()).map(({ status, what }) => [status, what])).toEqual([
      ["unknown", "this check threw an error, which is a bug in arc-primer: oops"],
      ["ok", "fine"],
    ]);
  });
});

describe("something that could not be read", () => {
  test("has the reason and, for missing permissions, advice", () => {
    expect(unreadable("the nodes", { forbidden: "no" })).toEqual({
      unknown: "no permission to read the nodes: no",
      do: expect.stringContaining("docs/operations/doctor.md"),
    });
    expect(unreadable("the nodes", { failed: "timeout" })).toEqual({
      unknown: "cannot read the nodes: timeout",
    });
    expect(unreadable("the nodes", { missing: "gone" })).toEqual({ unknown: "cannot read the nodes: gone" });
  });
});

test("lists of names and counted nouns", () => {
  expect(listed([])).toBe("");
  expect(listed(["a"])).toBe("a");
  expect(listed(["a", "b", "c"])).toBe("a, b and c");
  expect(listed(["a", "b", "c"], 1)).toBe("a and 2 more");
  expect([counted(1, "pod"), counted(2, "pod")]).toEqual(["1 pod", "2 pods"]);
});

describe("every check", () => {
  test("has a unique name, and texts for each problem", () => {
    const names = checks.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, description, problems: own } of checks) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      for (const sentence of [description, ...Object.values(own).flatMap((one) => [one.means, one.do])])
        expect(sentence).toMatch(/[.)]$/);
    }
  });

  test("reports ✓ or nothing if there is no problem", () => {
    expect(runChecks(checks, readings()).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  test("reports ? if nothing can be read", () => {
    const no = { forbidden: "no" };
    const unread = { version: no, apiGroups: no, nodes: no, mutating: no, validating: no, namespaces: no };
    const nothing = readings({
      ...unread,
      scaleSets: no,
      runnerPods: no,
      release: undefined,
      imageVolume: undefined,
      dryRuns: [],
    });
    const lines = runChecks(checks, nothing);
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(["unknown"]));
    expect(lines.length).toBeGreaterThan(7);
  });
});
