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
 * Whether dockerd ends after the runner: `outlives`; or it does, as far as we can tell, but for a container whose own
 * preStop hook stays (`pre-stop-kept`); or it cannot, because the runner container has no command to put a script before.
 */
export type Outliving = "outlives" | "pre-stop-kept" | "no-command";

/** The shell scripts that do it: one wraps the runner's command, the other is the preStop hook of DinD. */
export interface OutliveScripts {
  readonly holdDocker: string;
  readonly awaitRunner: string;
}

/**
 * Lets dockerd outlive the runner container when the pod is deleted. An ordinary DinD container is told to stop together
 * with the runner, so it gets a preStop hook that waits for the runner's end.
 *
 * A native sidecar needs none: the kubelet tells it to stop when the ordinary containers have ended (Kubernetes 1.29;
 * pkg/kubelet/kuberuntime, killContainer and terminationOrdering).
 *
 * @returns `no-command` with nothing changed
 */
export function outliveRunner(
  pod: Pod,
  runner: Container,
  names: ContainerNames,
  { holdDocker, awaitRunner }: OutliveScripts,
): Outliving {
  const beside = findDinds(pod, names).filter(({ layout }) => layout === "container");
  const held = beside.map((dind) => dind.container).filter((container) => !hasOtherPreStop(container, name));
  const outcome = held.length < beside.length ? "pre-stop-kept" : "outlives";
  if (held.length === 0) return outcome;

  if (!wrapCommand(runner, defineWrapper(name, holdDocker), [`file=${file}`], names.runner.command))
    return "no-command";
  // A volume for the pipe alone: templates differ in what else the two containers share.
  ensureVolume(pod, { name, emptyDir: {} });
  for (const one of [runner, ...held]) ensureMount(one, { name, mountPath: directory });
  for (const one of held) addPreStop(one, name, awaitRunner, file);
  return outcome;
}
