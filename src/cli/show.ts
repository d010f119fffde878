import { createTwoFilesPatch } from "diff";
import { styleText } from "node:util";
import applyPackages from "../scripts/apply-packages.sh";
import awaitRunner from "../scripts/await-runner.sh";
import dockerCredentials from "../scripts/docker-credentials.sh";
import holdDocker from "../scripts/hold-docker.sh";
import installPackages from "../scripts/install-packages.sh";
import placeFiles from "../scripts/place-files.sh";
import prepareRootless from "../scripts/prepare-rootless.sh";
import waitForDocker from "../scripts/wait-for-docker.sh";
import { escapeForKubelet } from "../pod/expansion.ts";

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

/** The scripts that mutations put into pods, by the files they stand in. */
const scripts = {
  "apply-packages.sh": applyPackages,
  "await-runner.sh": awaitRunner,
  "docker-credentials.sh": dockerCredentials,
  "hold-docker.sh": holdDocker,
  "install-packages.sh": installPackages,
  "place-files.sh": placeFiles,
  "prepare-rootless.sh": prepareRootless,
  "wait-for-docker.sh": waitForDocker,
};

const folds = Object.entries(scripts).map(([file, script]) => ({
  folded: `<the text of src/scripts/${file}>`,
  unfolded: escapeForKubelet(script),
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
