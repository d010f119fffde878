import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

// Each script is complete in itself, since it is put into a pod as text. Some functions are therefore copied.

const scripts = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".sh"))
  .map((name) => readFileSync(`${import.meta.dirname}/${name}`, "utf8"));

test.each([
  ["become", 5],
  ["failed", 8],
  ["limited", 3],
])("all copies of the function %s are the same", (name, copies) => {
  const definition = new RegExp(`^${name}\\(\\) \\{[^]*?^\\}$`, "m");
  const found = scripts.flatMap((text) => definition.exec(text)?.[0] ?? []);
  expect(found).toHaveLength(copies);
  expect(new Set(found).size).toBe(1);
});
