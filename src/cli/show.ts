import { createTwoFilesPatch } from "diff";
import { styleText } from "node:util";
import { escapeForKubelet } from "../pod/expansion.ts";
import { hooks, scripts } from "../scripts/index.ts";

/** The unified diff of two texts, coloured if asked. Empty if they are the same. */
export function showDiff(name: string, before: string, after: string, color: boolean): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(`${name} as ARC made it`, `${name} primed`, before, after, "", "", { context: 3 });
  const lines = patch.split("\n").slice(1);
  return lines.map((line) => (color ? paint(line) : line)).join("\n");
}

function paint(line: string): string {
  // Whether colour is wanted was decided by the caller.
  const style = (format: Parameters<typeof styleText>[0]) => styleText(format, line, { validateStream: false });
  if (line.startsWith("---") || line.startsWith("+++")) return style("bold");
  if (line.startsWith("@@")) return style("cyan");
  if (line.startsWith("+")) return style("green");
  return line.startsWith("-") ? style("red") : line;
}

/** Whether a stream takes colour: a terminal does, unless NO_COLOR says otherwise; FORCE_COLOR has the last word. */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  const marked = styleText("red", "x", { stream, validateStream: true });
  return marked !== "x";
}

const folds = Object.entries(scripts).map(([file, script]) => ({
  folded: `<the text of src/scripts/${file}>`,
  unfolded: hooks.includes(file) ? script : escapeForKubelet(script),
}));

/** A value with the scripts in it replaced by their names, for showing what is around them. */
export function foldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(folds.map(({ folded, unfolded }) => [unfolded, folded])));
}

/** The other way round. */
export function unfoldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(folds.map(({ folded, unfolded }) => [folded, unfolded])));
}

function replaceTexts<T>(value: T, replacements: ReadonlyMap<unknown, string>): T {
  return JSON.parse(JSON.stringify(value, (_key, text: unknown) => replacements.get(text) ?? text)) as T;
}
