import { envEntry } from "../pod/env.ts";
import { volumesAt } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";

/** The default socket of dockerd and its clients. */
export const defaultSocket = "/var/run/docker.sock";

/** The literal value of `DOCKER_HOST` in the container. Empty if it is not set or comes from `valueFrom`. */
export function literalHost(container: Container): string {
  return envEntry(container, "DOCKER_HOST")?.value ?? "";
}

/** The names of the runner's volumes that contain Docker's socket. */
export function socketVolumes(runner: Container): string[] {
  const host = literalHost(runner);
  return volumesAtSocket(runner, host.startsWith("unix://") ? host.slice("unix://".length) : defaultSocket);
}

/** The volumes that contain a socket at the given path. In the runner image, /var/run is a symlink to /run. */
export function volumesAtSocket(container: Container, socket: string): string[] {
  return [...volumesAt(container, socket), ...volumesAt(container, socket.replace(/^\/var\/run\//, "/run/"))];
}
