import { styleText } from "node:util";
import type { Line } from "../cluster/checks/check.ts";

const marks = { ok: "✓", warn: "!", fail: "✗", unknown: "?" } as const;
const colors = { ok: "green", warn: "yellow", fail: "red", unknown: "gray" } as const;

/** The lines of all checks for people, in their groups, and a last line that sums up. */
export function doctorReport(lines: readonly Line[], color: boolean): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const groups = [...new Set(lines.map(({ group }) => group))];
  const texts = groups.map((group) => {
    const title = paint("bold", group[0]!.toUpperCase() + group.slice(1));
    const own = lines.filter((line) => line.group === group);
    return [title, ...own.flatMap((line) => wordsOf(line, paint(colors[line.status], marks[line.status])))].join("\n");
  });
  return `${texts.join("\n\n")}\n\n${summary(lines)}\n`;
}

function wordsOf({ check, problem, what, means, do: advice }: Line, mark: string): string[] {
  const code = problem === undefined ? check : `${check}/${problem}`;
  return [
    `  ${mark} ${code}: ${what}`,
    ...(means === undefined ? [] : [`      What it means: ${means}`]),
    ...(advice === undefined ? [] : [`      What to do: ${advice}`]),
  ];
}

function summary(lines: readonly Line[]): string {
  const words = { fail: "broken", warn: "to look at", unknown: "not checked", ok: "in order" } as const;
  return Object.entries(words)
    .map(([status, word]) => ({ word, count: lines.filter((line) => line.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`)
    .join(", ");
}
