import { envEntry, setsEnv } from "./env.ts";
import type { Container, Pod } from "./types.ts";

/** Containers that arc-primer adds are called `arc-primer-…`. */
export const ownPrefix = "arc-primer-";

/** A native sidecar: an init container that the kubelet keeps running beside the others (Kubernetes 1.29). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** The container of that name among the ordinary ones. */
export function findContainer(pod: Pod, name: string): Container | undefined {
  return pod.spec.containers.find((container) => container.name === name);
}

/** In ARC's kubernetes modes steps run in pods of their own, unless the job may do without a container. */
export function jobsRunElsewhere(runner: Container): boolean {
  const demand = envEntry(runner, "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER");
  return setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS") && demand?.value !== "false";
}
