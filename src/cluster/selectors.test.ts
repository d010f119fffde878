import { describe, expect, test } from "vitest";
import { includesPodCreation, matchesLabels } from "./selectors.ts";

describe("labels match a selector", () => {
  const labels = { a: "1", b: "2" };
  const expression = (key: string, operator: string, values?: string[]) => ({
    matchExpressions: [{ key, operator, ...(values && { values }) }],
  });
  test.each<[string, object | undefined, boolean]>([
    ["an absent selector", undefined, true],
    ["an empty selector", {}, true],
    ["all labels match", { matchLabels: labels }, true],
    ["not if only one label matches", { matchLabels: { a: "1", b: "3" } }, false],
    ["In", expression("a", "In", ["1", "9"]), true],
    ["In, without the label", expression("c", "In", ["1"]), false],
    ["NotIn", expression("a", "NotIn", ["1"]), false],
    ["NotIn, without the label", expression("c", "NotIn", ["1"]), true],
    ["Exists", expression("a", "Exists"), true],
    ["DoesNotExist", expression("a", "DoesNotExist"), false],
    ["not with an unknown operator", expression("a", "Gt", ["0"]), false],
  ])("%s", (_, selector, matches) => expect(matchesLabels(selector, labels)).toBe(matches));
});

describe("rules include the creation of pods", () => {
  const rule = { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] };
  test.each<[string, object, boolean]>([
    ["arc-primer's rule", rule, true],
    ["wildcards", { ...rule, apiGroups: ["*"], resources: ["*"], operations: ["*"] }, true],
    ["not with another API group", { ...rule, apiGroups: ["apps"] }, false],
    ["not for a subresource", { ...rule, resources: ["pods/exec"] }, false],
    ["not for UPDATE", { ...rule, operations: ["UPDATE"] }, false],
  ])("%s", (_, one, includes) => expect(includesPodCreation([one])).toBe(includes));

  test("not without rules", () => expect(includesPodCreation()).toBe(false));
});
