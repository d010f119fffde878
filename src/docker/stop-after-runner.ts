import { addPreStop, hasOtherPreStop } from "../pod/hook.ts";
import { ensureMount, ensureVolume } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import { findDinds } from "./dind.ts";
import type { ContainerNames } from "./dind.ts";

const name = "arc-primer-hold";
const directory = "/arc-primer/hold";
const file = `${directory}/runner`;

/**
 * Whether dockerd stops after the runner. `stops-after-runner`: yes. `pre-stop-kept`: yes, except in a container that has
 * its own preStop hook, which is kept. `no-command`: no, because the runner container has no command to wrap.
 */
export type StopOrder = "stops-after-runner" | "pre-stop-kept" | "no-command";

/** The shell scripts: `holdDocker` wraps the runner's command, `awaitRunner` is the preStop hook of the DinD container. */
export interface StopOrderScripts {
  readonly holdDocker: string;
  readonly awaitRunner: string;
}

/**
 * When the pod is deleted, keeps dockerd running until the runner container has stopped. The kubelet stops a regular DinD
 * container together with the runner, so it gets a preStop hook that waits until the runner has stopped.
 *
 * A native sidecar needs no hook: the kubelet stops it after the regular containers (Kubernetes 1.29;
 * pkg/kubelet/kuberuntime, killContainer and terminationOrdering).
 *
 * @returns the result; if it is `no-command`, the pod is not changed
 */
export function stopAfterRunner(
  pod: Pod,
  runner: Container,
  names: ContainerNames,
  { holdDocker, awaitRunner }: StopOrderScripts,
): StopOrder {
  const regularDinds = findDinds(pod, names).filter(({ layout }) => layout === "container");
  const withoutOtherHook = regularDinds
    .map((dind) => dind.container)
    .filter((container) => !hasOtherPreStop(container, name));
  const result = withoutOtherHook.length < regularDinds.length ? "pre-stop-kept" : "stops-after-runner";
  if (withoutOtherHook.length === 0) return result;

  if (!wrapCommand(runner, defineWrapper(name, holdDocker), [`file=${file}`], names.runner.command))
    return "no-command";
  // A separate volume for the named pipe, because templates differ in which other volumes the two containers share.
  ensureVolume(pod, { name, emptyDir: {} });
  for (const one of [runner, ...withoutOtherHook]) ensureMount(one, { name, mountPath: directory });
  for (const one of withoutOtherHook) addPreStop(one, name, awaitRunner, file);
  return result;
}
