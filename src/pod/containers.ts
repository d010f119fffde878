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

/** Whether container hooks run jobs in pods of their own. Those of the docker kind run them in Docker. */
export function usesKubernetesHooks(runner: Container): boolean {
  const path = envEntry(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS")?.value ?? "";
  return setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS") && !/\bdocker\b/.test(path);
}

/**
 * Whether no step runs in the runner container. With container hooks, jobs without `container:` still do, unless the
 * runner is told to refuse them; it takes `1`, `true` and `$true` for that (actions/runner, JobExtension.cs,
 * StringUtil.ConvertToBoolean).
 */
export function jobsRunElsewhere(runner: Container): boolean {
  const demand = envEntry(runner, "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER")?.value ?? "";
  return usesKubernetesHooks(runner) && /^(1|\$?true)$/i.test(demand);
}
