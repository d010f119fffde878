import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { expect, test } from "vitest";
import { chartValues } from "../scripts/chart-reference.ts";
import { referencePages } from "../scripts/reference.ts";
import { createMetrics } from "../src/metrics.ts";

const pages = await referencePages();

test.each([...pages])("docs/reference/%s is up to date (npm run generate)", async (name, text) => {
  const file = fileURLToPath(new URL(`../docs/reference/${name}`, import.meta.url));
  expect(readFileSync(file, "utf8")).toBe(await format(text, { filepath: file, printWidth: 120 }));
});

test("docs/reference/metrics.md lists every metric", async () => {
  const { text } = await createMetrics({ processMetrics: false }).expose();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(pages.get("metrics.md")).toContain(`\`${name}\``);
});

test("docs/reference/cli.md lists every command", () => {
  const headings = pages.get("cli.md")!.match(/^## .*$/gm);
  const commands = [
    "",
    " serve",
    " render",
    " config",
    " config check",
    " config schema",
    " config init",
    " doctor",
    " explain",
    " demo",
    " completion",
    " bundle-server",
  ];
  expect(headings).toEqual(commands.map((command) => `## arc-primer${command}`));
});

test("every value of the chart has a type and a description", () => {
  const values = chartValues();
  expect(values.length).toBeGreaterThan(80);
  expect(values.filter(({ type, about }) => type === "any" || about === "").map(({ path }) => path)).toEqual([]);
});
