import * as fc from "fast-check";
import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { escapeForKubelet } from "./expansion.ts";

const env = { HOME: "/home/runner", x: "expanded", "": "empty" };

test.each([
  ["$HOME and ${HOME} are no references", "$HOME and ${HOME} are no references"],
  ["$(date) $$ $((1 + 1))", "$$(date) $$$ $$((1 + 1))"],
  ["$$$(x)", "$$$$$$(x)"],
  ["ends in $", "ends in $"],
])("escapes %j as %j", (text, escaped) => {
  expect(escapeForKubelet(text)).toBe(escaped);
});

test("the kubelet passes on every escaped text unchanged", () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom("$", "$$", "(", ")", "x", "HOME", "{", "}", " ", "\n")).map((parts) => parts.join("")),
  );
  const isPassedOn = (original: string) => {
    expect(kubeletExpand(escapeForKubelet(original), env)).toBe(original);
  };
  fc.assert(fc.property(text, isPassedOn), { numRuns: 5000 });
});

test("the kubelet expansion in test/support follows the rules of the API reference", () => {
  expect(kubeletExpand("$(HOME) $(NOPE) $$(HOME) $$ $HOME", env)).toBe("/home/runner $(NOPE) $(HOME) $ $HOME");
});
