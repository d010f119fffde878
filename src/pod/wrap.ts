import { ownPrefix } from "./containers.ts";
import { escapeForKubelet } from "./expansion.ts";
import type { Container } from "./types.ts";

/** A shell script that runs before the container's own command and ends with `exec "$@"`. */
export interface Wrapper {
  /** The script's `$0`: `arc-primer-…`. Used to find the wrapper in a command. */
  readonly name: string;
  /** The script, escaped for the kubelet. */
  readonly script: string;
}

/**
 * @param script a POSIX sh script. Its positional parameters are the settings, `--`, and the command to exec
 */
export function defineWrapper(name: string, script: string): Wrapper {
  return { name, script: escapeForKubelet(script) };
}

/**
 * Puts a wrapper before the container's command, unless it is already there. `args` are not changed: the kubelet appends
 * them, so that they reach the original command. Wrappers can be nested. The one that is added last runs first.
 *
 * @param settings the arguments of the script. They never become part of the script's text
 * @param defaultCommand the configured command for a container that sets none
 * @returns false if there is no command to wrap
 */
export function wrapCommand(
  container: Container,
  wrapper: Wrapper,
  settings: readonly string[],
  defaultCommand: readonly string[] | undefined,
): boolean {
  if (findWrapper(container, wrapper.name)) return true;
  const command = container.command?.length ? container.command : defaultCommand;
  if (!command) return false;
  const escaped = settings.map(escapeForKubelet);
  container.command = ["/bin/sh", "-c", wrapper.script, wrapper.name, ...escaped, "--", ...command];
  return true;
}

/**
 * Appends arguments to a wrapper that the container already has.
 *
 * @param settings groups of arguments that belong together. A group that the wrapper already has is not added again
 * @returns false if the container does not have the wrapper
 */
export function appendArgs(container: Container, name: string, settings: readonly (readonly string[])[]): boolean {
  const found = findWrapper(container, name);
  if (!found) return false;
  const { words, from } = found;
  const end = words.indexOf("--", from);
  const presentArgs = words.slice(from, end);
  const missing = settings.map((group) => group.map(escapeForKubelet)).filter((group) => !contains(presentArgs, group));
  if (missing.length > 0) insert(container, end, missing.flat());
  return true;
}

/** Whether a wrapper has this group of arguments. */
export function hasArgs(container: Container, name: string, group: readonly string[]): boolean {
  const found = findWrapper(container, name);
  if (!found) return false;
  const { words, from } = found;
  return contains(words.slice(from, words.indexOf("--", from)), group.map(escapeForKubelet));
}

/** The container's command and args, without wrappers. */
export function unwrappedCommand(container: Container): string[] {
  let words = [...(container.command ?? []), ...(container.args ?? [])];
  for (;;) {
    const name = words.findIndex((word, index) => word.startsWith(ownPrefix) && words[index - 2] === "-c");
    const end = name < 0 ? -1 : words.indexOf("--", name);
    if (end < 0) return words;
    words = words.slice(end + 1);
  }
}

/**
 * Finds a wrapper by name in `command` and `args`. It may be nested in other wrappers, and another webhook may have moved
 * the command to `args`, behind its own launcher. `from` is the index of the wrapper's first argument.
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
