import { envEntry, setsEnv } from "./env.ts";
import type { Container, Pod } from "./types.ts";

/** The name prefix of containers and volumes that arc-primer adds. */
export const ownPrefix = "arc-primer-";

/** Whether an init container is a native sidecar, which the kubelet keeps running (Kubernetes 1.29). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** Finds a regular container by its name. */
export function findContainer(pod: Pod, name: string): Container | undefined {
  return pod.spec.containers.find((container) => container.name === name);
}

/** Whether the runner uses container hooks that run jobs in separate pods. The docker hooks run jobs in Docker instead. */
export function usesKubernetesHooks(runner: Container): boolean {
  const path = envEntry(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS")?.value ?? "";
  return setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS") && !/\bdocker\b/.test(path);
}

/**
 * Whether no step runs in the runner container. With container hooks, jobs without `container:` still run there, unless
 * the runner is configured to reject them with `1`, `true` or `$true` (actions/runner, JobExtension.cs,
 * StringUtil.ConvertToBoolean).
 */
export function jobsRunElsewhere(runner: Container): boolean {
  const demand = envEntry(runner, "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER")?.value ?? "";
  return usesKubernetesHooks(runner) && /^(1|\$?true)$/i.test(demand);
}
