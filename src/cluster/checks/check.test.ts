import { describe, expect, test } from "vitest";
import { readings } from "../../../test/support/readings.ts";
import { check, counted, listed, runChecks, unreadable } from "./check.ts";
import { checks } from "./index.ts";

const problems = {
  broken: { status: "fail", means: "NAME is broken.", do: "Mend NAME_OF in NAME, not CREATE." },
} as const;
const about = { group: "cluster", looksAt: "" } as const;

describe("a line", () => {
  test("has the problem's words, with the names that the finding gives", () => {
    const one = check({
      name: "x",
      ...about,
      problems,
      look: () => [{ problem: "broken", what: "it", names: { NAME: "a" } }],
    });
    expect(runChecks([one], readings())).toEqual([
      {
        status: "fail",
        group: "cluster",
        check: "x",
        problem: "broken",
        what: "it",
        means: "a is broken.",
        do: "Mend NAME_OF in a, not CREATE.",
      },
    ]);
  });

  test("of a check that throws says so, and the others are made", () => {
    const bad = check({
      name: "bad",
      ...about,
      problems: {},
      look() {
        throw new Error("oops");
      },
    });
    const good = check({ name: "good", ...about, problems: {}, look: () => [{ ok: "fine" }] });
    expect(runChecks([bad, good], readings()).map(({ status, what }) => [status, what])).toEqual([
      ["unknown", "this check failed itself, which is a bug: oops"],
      ["ok", "fine"],
    ]);
  });
});

describe("what was not read", () => {
  test("says why, and what would help where rights are missing", () => {
    expect(unreadable("the nodes", { forbidden: "no" })).toEqual({
      unknown: "the nodes may not be read: no",
      do: expect.stringContaining("docs/operations/doctor.md"),
    });
    expect(unreadable("the nodes", { failed: "time-out" })).toEqual({
      unknown: "the nodes could not be read: time-out",
    });
    expect(unreadable("the nodes", { missing: "gone" })).toEqual({ unknown: "the nodes could not be read: gone" });
  });
});

test("names in a row", () => {
  expect(listed([])).toBe("");
  expect(listed(["a"])).toBe("a");
  expect(listed(["a", "b", "c"])).toBe("a, b and c");
  expect(listed(["a", "b", "c"], 1)).toBe("a and 2 more");
  expect([counted(1, "pod"), counted(2, "pod")]).toEqual(["1 pod", "2 pods"]);
});

describe("every check", () => {
  test("has a name of its own, and words for each problem", () => {
    const names = checks.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, looksAt, problems: own } of checks) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      for (const sentence of [looksAt, ...Object.values(own).flatMap((one) => [one.means, one.do])])
        expect(sentence).toMatch(/[.)]$/);
    }
  });

  test("is a ✓, or says nothing, where everything is in order", () => {
    expect(runChecks(checks, readings()).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  test("bears that nothing at all may be read", () => {
    const no = { forbidden: "no" };
    const unread = { version: no, apiGroups: no, nodes: no, mutating: no, validating: no, namespaces: no };
    const nothing = readings({
      ...unread,
      scaleSets: no,
      runnerPods: no,
      release: undefined,
      imageVolume: undefined,
      trials: [],
    });
    const lines = runChecks(checks, nothing);
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(["unknown"]));
    expect(lines.length).toBeGreaterThan(7);
  });
});
