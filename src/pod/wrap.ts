import { ownPrefix } from "./containers.ts";
import { escapeForKubelet } from "./expansion.ts";
import type { Container } from "./types.ts";

/** A shell script that runs in a container ahead of the container's own command, and ends in `exec "$@"`. */
export interface Wrapper {
  /** The script's `$0`, by which it is found again: `arc-primer-…`. */
  readonly name: string;
  /** As the pod has it. */
  readonly script: string;
}

/**
 * @param script POSIX sh. Its positional parameters are the settings, `--`, and the command to become
 */
export function defineWrapper(name: string, script: string): Wrapper {
  return { name, script: escapeForKubelet(script) };
}

/**
 * Puts a wrapper before the container's command, unless it is there already. `args` stay: the kubelet appends them, so
 * they reach the original command. Wrappers nest; the one put on last runs first.
 *
 * @param settings what the script is told, one word each. Never part of the script's text
 * @param otherwise the command that the administrator has named for a container without one
 * @returns false if there is no command to put it before
 */
export function wrapCommand(
  container: Container,
  wrapper: Wrapper,
  settings: readonly string[],
  otherwise: readonly string[] | undefined,
): boolean {
  if (findWrapper(container, wrapper.name)) return true;
  const command = container.command?.length ? container.command : otherwise;
  if (!command) return false;
  const told = settings.map(escapeForKubelet);
  container.command = ["/bin/sh", "-c", wrapper.script, wrapper.name, ...told, "--", ...command];
  return true;
}

/**
 * Tells a wrapper that is there more, behind what it was told already.
 *
 * @param settings groups of words that belong together; those that it has been told are left out
 * @returns false if it is not there
 */
export function appendArgs(container: Container, name: string, settings: readonly (readonly string[])[]): boolean {
  const found = findWrapper(container, name);
  if (!found) return false;
  const { words, from } = found;
  const end = words.indexOf("--", from);
  const told = words.slice(from, end);
  const missing = settings.map((group) => group.map(escapeForKubelet)).filter((group) => !contains(told, group));
  if (missing.length > 0) insert(container, end, missing.flat());
  return true;
}

/** Whether a wrapper has been told this group of words. */
export function hasArgs(container: Container, name: string, group: readonly string[]): boolean {
  const found = findWrapper(container, name);
  if (!found) return false;
  const { words, from } = found;
  return contains(words.slice(from, words.indexOf("--", from)), group.map(escapeForKubelet));
}

/** The words of the container's command and args, without the wrappers before them. */
export function ownWords(container: Container): string[] {
  let words = [...(container.command ?? []), ...(container.args ?? [])];
  for (;;) {
    const name = words.findIndex((word, index) => word.startsWith(ownPrefix) && words[index - 2] === "-c");
    const end = name < 0 ? -1 : words.indexOf("--", name);
    if (end < 0) return words;
    words = words.slice(end + 1);
  }
}

/**
 * The wrapper of that name among the words of `command` and `args`, also inside other wrappers, and also after another
 * webhook has moved the command to `args` behind a launcher of its own; `from` is where its settings begin.
 */
function findWrapper(container: Container, name: string): { words: readonly string[]; from: number } | undefined {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const from = words.findIndex((word, index) => word === name && words[index - 2] === "-c") + 1;
  return from > 0 && words.includes("--", from) ? { words, from } : undefined;
}

function insert(container: Container, at: number, more: readonly string[]): void {
  const [command, args] = [container.command ?? [], container.args ?? []];
  if (at < command.length) container.command = command.toSpliced(at, 0, ...more);
  else container.args = args.toSpliced(at - command.length, 0, ...more);
}

function contains(words: readonly string[], group: readonly string[]): boolean {
  return words.some((_, start) => group.every((word, index) => words[start + index] === word));
}
