import { createTwoFilesPatch } from "diff";
import { styleText } from "node:util";
import { escapeForKubelet } from "../pod/expansion.ts";
import { hooks, scripts } from "../scripts/index.ts";

/** Returns the unified diff of two texts, coloured on request. Empty if the texts are equal. */
export function showDiff(name: string, before: string, after: string, color: boolean): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(`${name} as ARC made it`, `${name} primed`, before, after, "", "", { context: 3 });
  const lines = patch.split("\n").slice(1);
  return lines.map((line) => (color ? paint(line) : line)).join("\n");
}

function paint(line: string): string {
  // The caller has already decided whether to use colour.
  const style = (format: Parameters<typeof styleText>[0]) => styleText(format, line, { validateStream: false });
  if (line.startsWith("---") || line.startsWith("+++")) return style("bold");
  if (line.startsWith("@@")) return style("cyan");
  if (line.startsWith("+")) return style("green");
  return line.startsWith("-") ? style("red") : line;
}

/** Whether to colour output to this stream: true for a terminal unless NO_COLOR is set. FORCE_COLOR overrides both. */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  const marked = styleText("red", "x", { stream, validateStream: true });
  return marked !== "x";
}

const folds = Object.entries(scripts).map(([file, script]) => ({
  folded: `<the text of src/scripts/${file}>`,
  unfolded: hooks.includes(file) ? script : escapeForKubelet(script),
}));

/** Replaces the scripts in a value by placeholders that name them, to keep the output short. */
export function foldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(folds.map(({ folded, unfolded }) => [unfolded, folded])));
}

/** Replaces the placeholders by the scripts again. */
export function unfoldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(folds.map(({ folded, unfolded }) => [folded, unfolded])));
}

function replaceTexts<T>(value: T, replacements: ReadonlyMap<unknown, string>): T {
  return JSON.parse(JSON.stringify(value, (_key, text: unknown) => replacements.get(text) ?? text)) as T;
}
