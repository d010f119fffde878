import type { Container } from "./types.ts";

/** Whether the container has a preStop hook other than arc-primer's hook with this name. */
export function hasOtherPreStop({ lifecycle }: Container, name: string): boolean {
  const hook = lifecycle?.preStop;
  return Boolean(hook) && !hook?.exec?.command?.includes(name);
}

/**
 * Gives the container a preStop hook, unless it has one already.
 *
 * @param name the script's `$0`, by which the hook is recognized later
 * @param words the script's arguments. The kubelet expands no variables in a hook's command, so nothing is escaped
 */
export function addPreStop(container: Container, name: string, script: string, ...words: string[]): void {
  if (container.lifecycle?.preStop) return;
  const command = ["/bin/sh", "-c", script, name, ...words];
  container.lifecycle = { ...container.lifecycle, preStop: { exec: { command } } };
}
