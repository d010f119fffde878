import { expect, test } from "vitest";
import { inputSchema, settingsOf } from "../scripts/configuration-reference.ts";

test("every setting has a description, which is a sentence", () => {
  const settings = settingsOf(inputSchema()).filter(({ path }) => !["apiVersion", "kind"].includes(path));
  expect(settings.length).toBeGreaterThan(50);
  const without = settings.filter(({ schema }) => !/^[A-Z`*][^]*[.:)]$/.test(schema.description ?? ""));
  expect(without.map(({ path }) => path)).toEqual([]);
});
