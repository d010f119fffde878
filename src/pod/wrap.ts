import { escapeForKubelet } from "./expansion.ts";
import type { Container } from "./types.ts";

/** A shell script that runs in a container ahead of the container's own command, and ends in `exec "$@"`. */
export interface Wrapper {
  /** The script's `$0`, by which it is found again: `arc-primer-…`. */
  readonly name: string;
  /** POSIX sh. Its positional parameters are the settings, `--`, and the command to become. */
  readonly script: string;
  /** What the script is told, one word each. Never part of the script's text. */
  readonly settings: readonly string[];
}

/**
 * Puts a wrapper before the container's command. `args` stay: the kubelet appends them, so they reach the original
 * command. Wrappers nest; the one put on last runs first.
 *
 * @param command the command to wrap; it must be the container's own, or one the administrator has named for it
 */
export function wrapCommand(container: Container, command: readonly string[], wrapper: Wrapper): void {
  container.command = [
    "/bin/sh",
    "-c",
    escapeForKubelet(wrapper.script),
    wrapper.name,
    ...wrapper.settings.map(escapeForKubelet),
    "--",
    ...command,
  ];
}

/**
 * Whether the container has the wrapper of that name already, also inside other wrappers, and also after another
 * webhook has moved the command to `args` behind a launcher of its own.
 */
export function isWrapped(container: Container, name: string): boolean {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  return words.some((word, index) => word === name && words[index - 2] === "-c");
}
