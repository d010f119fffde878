import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutations } from "../src/mutations/index.ts";
import { docPages, root } from "./support/docs.ts";

// The documentation is complete: docs/README.md lists each page, and each mutation has a guide.

const read = (page: string) => readFileSync(root + page, "utf8");
const pages = docPages().filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
const guides = pages.filter((page) => page.startsWith("docs/guides/"));

test("docs/README.md links each page, except for the decisions", () => {
  const index = read("docs/README.md");
  const listed = pages.filter((page) => !page.startsWith("docs/decisions/"));
  const missing = listed.filter((page) => !index.includes(`](${page.slice("docs/".length)})`));
  expect(missing, `add a line to docs/README.md for ${missing.join(", ")}`).toEqual([]);
});

test("every mutation has a guide that links a golden folder and describes how to see that it works", () => {
  const isComplete = (text: string) =>
    /^## How to see that it works$/m.test(text) && /\]\(\.\.\/\.\.\/test\/golden\/[\w-]+\)/.test(text);
  const texts = guides.map(read).filter(isComplete);
  const missing = mutations.filter(({ name }) => !texts.some((text) => text.includes(name))).map(({ name }) => name);
  expect(
    missing,
    `no guide is complete for ${missing.join(", ")}; docs/contributing/writing.md lists what a guide must contain`,
  ).toEqual([]);
});

test("the README has at most 120 lines", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(120);
});
