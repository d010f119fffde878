import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { scripts } from "./index.ts";

test("every script in the folder is listed", () => {
  const files = readdirSync(new URL(".", import.meta.url)).filter((file) => file.endsWith(".sh"));
  expect(Object.keys(scripts)).toEqual(files.toSorted());
});
