import type { Container, EnvVar } from "./types.ts";

/** The container's `env` entry for a variable. If there are several, the kubelet uses the last one. */
export function envEntry(container: Container, name: string): EnvVar | undefined {
  return container.env?.findLast((entry) => entry.name === name);
}

/** Whether the container's own `env` sets a variable to something: a non-empty value, or a `valueFrom`. */
export function setsEnv(container: Container, name: string): boolean {
  const entry = envEntry(container, name);
  return Boolean(entry?.valueFrom) || Boolean(entry?.value);
}
