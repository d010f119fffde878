import { styleText } from "node:util";
import type { Line } from "../cluster/checks/check.ts";

const marks = { ok: "✓", warn: "!", fail: "✗", unknown: "?" } as const;
const colors = { ok: "green", warn: "yellow", fail: "red", unknown: "gray" } as const;

/** Formats the results of all checks as text, by group, with a summary in the last line. */
export function doctorReport(lines: readonly Line[], color: boolean): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const groups = [...new Set(lines.map(({ group }) => group))];
  const texts = groups.map((group) => {
    const title = paint("bold", group[0]!.toUpperCase() + group.slice(1));
    const inGroup = lines.filter((line) => line.group === group);
    return [title, ...inGroup.flatMap((line) => linesOf(line, paint(colors[line.status], marks[line.status])))].join(
      "\n",
    );
  });
  return `${texts.join("\n\n")}\n\n${summary(lines)}\n`;
}

function linesOf({ check, problem, what, means, do: advice }: Line, mark: string): string[] {
  const code = problem === undefined ? check : `${check}/${problem}`;
  return [
    `  ${mark} ${code}: ${what}`,
    ...(means === undefined ? [] : [`      What it means: ${means}`]),
    ...(advice === undefined ? [] : [`      What to do: ${advice}`]),
  ];
}

function summary(lines: readonly Line[]): string {
  const labels = { fail: "failed", warn: "to review", unknown: "not checked", ok: "passed" } as const;
  return Object.entries(labels)
    .map(([status, label]) => ({ label, count: lines.filter((line) => line.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ label, count }) => `${count} ${label}`)
    .join(", ");
}
