import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { expect, test } from "vitest";
import { referencePages } from "../scripts/reference.ts";
import { createMetrics } from "../src/metrics.ts";

const pages = await referencePages();

test.each([...pages])("docs/reference/%s is up to date (npm run generate)", async (name, text) => {
  const file = fileURLToPath(new URL(`../docs/reference/${name}`, import.meta.url));
  expect(readFileSync(file, "utf8")).toBe(await format(text, { filepath: file, printWidth: 120 }));
});

test("every metric is on the page of metrics", async () => {
  const { text } = await createMetrics({ processMetrics: false }).expose();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(pages.get("metrics.md")).toContain(`\`${name}\``);
});

test("every command is on the page of the command line", () => {
  const headings = pages.get("cli.md")!.match(/^## .*$/gm);
  const commands = ["", " serve", " render", " config", " config check", " demo", " bundle-server"];
  expect(headings).toEqual(commands.map((command) => `## arc-primer${command}`));
});
