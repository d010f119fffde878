import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { expect, test } from "vitest";
import { configurationReference, inputSchema, settingsOf } from "../scripts/configuration-reference.ts";

const page = fileURLToPath(new URL("../docs/reference/configuration.md", import.meta.url));

test("every setting has a description, which is a sentence", () => {
  const settings = settingsOf(inputSchema()).filter(({ path }) => !["apiVersion", "kind"].includes(path));
  expect(settings.length).toBeGreaterThan(50);
  const without = settings.filter(({ schema }) => !/^[A-Z`*][^]*[.:)]$/.test(schema.description ?? ""));
  expect(without.map(({ path }) => path)).toEqual([]);
});

test("the reference page is up to date (npm run generate)", async () => {
  const text = await format(configurationReference(), { filepath: page, printWidth: 120 });
  expect(readFileSync(page, "utf8")).toBe(text);
});
