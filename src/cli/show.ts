import { createTwoFilesPatch } from "diff";
import { styleText } from "node:util";
import { escapeForKubelet } from "../pod/expansion.ts";
import { hooks, scripts } from "../scripts/index.ts";

/** Returns the unified diff of two texts, coloured on request. Empty if the texts are equal. */
export function showDiff(name: string, before: string, after: string, color: boolean): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(`${name} original`, `${name} primed`, before, after, "", "", { context: 3 });
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
  return styleText("red", "x", { stream, validateStream: true }) !== "x";
}

const scriptTexts = Object.entries(scripts).map(([file, script]) => ({
  placeholder: `<the text of src/scripts/${file}>`,
  text: hooks.includes(file) ? script : escapeForKubelet(script),
}));

/** Replaces the scripts in a value with placeholders that name them, to keep the output short. */
export function foldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(scriptTexts.map(({ placeholder, text }) => [text, placeholder])));
}

/** Replaces the placeholders with the scripts. */
export function unfoldScripts<T>(value: T): T {
  return replaceTexts(value, new Map(scriptTexts.map(({ placeholder, text }) => [placeholder, text])));
}

function replaceTexts<T>(value: T, replacements: ReadonlyMap<unknown, string>): T {
  return JSON.parse(JSON.stringify(value, (_key, text: unknown) => replacements.get(text) ?? text)) as T;
}
