import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scripts } from "../src/scripts/index.ts";

// Compares the error codes of the scripts with the page that explains them.

const page = readFileSync(new URL("../docs/operations/troubleshooting.md", import.meta.url), "utf8");
const [, section = ""] = /^## The codes\n([^]*?)^## /m.exec(page) ?? [];
const explained = [...section.matchAll(/^### (.+)$/gm)].map(([, code]) => code!);

// The code is the first argument of `failed`. In wait-for-docker.sh, `give_up` passes it on.
const used = Object.values(scripts).flatMap((text) =>
  [...text.matchAll(/\b(?:failed|give_up) ([a-z]+(?:-[a-z]+)*) "/g)].map(([, code]) => code!),
);

test("the page explains every code that a script uses, and no other", () => {
  expect(new Set(used).size).toBeGreaterThan(5);
  expect(explained.toSorted()).toEqual([...new Set(used)].toSorted());
});

test("every code is a literal word in the script, so that the page can list it", () => {
  for (const [name, text] of Object.entries(scripts)) {
    const calls = text.match(/^[^#\n]*\b(failed|give_up) +["$]/gm) ?? [];
    // The only place where a code is passed on as a variable.
    expect({ name, calls }).toEqual({ name, calls: name === "wait-for-docker.sh" ? ['  failed "'] : [] });
  }
});
