import { envEntry } from "../pod/env.ts";
import { volumesAt } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";

/** Where dockerd listens, and clients look, unless told otherwise. */
export const defaultSocket = "/var/run/docker.sock";

/** `DOCKER_HOST`, where the container has it as a value; else empty. */
export function literalHost(container: Container): string {
  return envEntry(container, "DOCKER_HOST")?.value ?? "";
}

/** The names of the volumes through which the runner sees Docker's socket. */
export function socketVolumes(runner: Container): string[] {
  const host = literalHost(runner);
  return volumesAtSocket(runner, host.startsWith("unix://") ? host.slice("unix://".length) : defaultSocket);
}

/** The same for a socket at that path. In the runner image /var/run is a link to /run. */
export function volumesAtSocket(container: Container, socket: string): string[] {
  return [...volumesAt(container, socket), ...volumesAt(container, socket.replace(/^\/var\/run\//, "/run/"))];
}
