import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { View, parse } from "vega";
import { compile } from "vega-lite";
import type { TopLevelSpec } from "vega-lite";
import type { Machine } from "./machine.ts";

const root = new URL("../../../", import.meta.url);
const folder = new URL("docs/benchmarks/", root);

export type Row = readonly (string | number)[];

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  const alignment = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(head), line(alignment), ...rows.map(line)].join("\n");
}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Draws a chart of the measurements, without a browser or native code. */
export async function picture(name: string, spec: TopLevelSpec): Promise<void> {
  const style = { background: "white", config: { font: "sans-serif", view: { stroke: null } } };
  const { spec: compiled } = compile({ ...style, ...spec } as TopLevelSpec);
  const svg = await new View(parse(compiled), { renderer: "none" }).toSVG();
  write(`${name}.svg`, `${svg}\n`);
}

/**
 * Writes `docs/benchmarks/NAME.md`, formatted by prettier. NAME may start with `../`.
 *
 * @param command the command that writes the page
 */
export async function page(
  name: string,
  title: string,
  command: string,
  { lines }: Machine,
  parts: readonly string[],
): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { version: string };
  const text = [
    `# ${title}`,
    `Written by \`${command}\`, arc-primer ${version}, on ${new Date().toISOString().slice(0, 10)}. Do not edit.`,
    lines.map((line) => `- ${line}`).join("\n"),
    ...parts,
    "",
  ].join("\n\n");
  write(`${name}.md`, await format(text, { parser: "markdown", printWidth: 120 }));
}

function write(name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  const file = new URL(name, folder);
  writeFileSync(file, text);
  process.stderr.write(`wrote ${fileURLToPath(file)}\n`);
}
