import type { Profile } from "../config/schema.ts";
import { findDind } from "../docker/dind.ts";
import { findContainer, isSidecar, ownPrefix } from "../pod/containers.ts";
import { setsEnv } from "../pod/env.ts";
import { literalHost, socketVolumes } from "../docker/socket.ts";
import type { Container, Pod } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import type { MutationReason, Note } from "../report/reasons.ts";
import script from "../scripts/wait-for-docker.sh";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";

/** By this name another mutation adds arguments to the wait. */
export const waitName = "arc-primer-wait";
const wrapper = defineWrapper(waitName, script);

/**
 * Makes the runner wait for Docker: wraps the runner container's command in src/scripts/wait-for-docker.sh. ARC's own
 * wait starts the runner even when Docker never came, and the job that it then takes fails.
 *
 * With that wait in place the startup probe of a DinD sidecar only costs time (the kubelet looks every 5 s), so it is
 * taken out where nothing else relies on it.
 */
export const waitForDocker: Mutation = {
  name: "wait-for-docker",
  configure(profile) {
    const { wait } = profile.docker;
    if (!wait.enabled) return "disabled";
    const settings = settingsOf(wait);

    return (pod) => {
      const container = findContainer(pod, profile.runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const dind = findDind(pod, profile);
      const obstacle = withoutDocker(container, dind !== undefined);
      if (obstacle) return doesNotApply(obstacle);

      if (!wrapCommand(container, wrapper, settings, profile.runner.command)) return doesNotApply("no-command");
      if (dind?.layout !== "sidecar" || !dind.container.startupProbe) return applies();
      const keep = wait.keepStartupProbe
        ? "startup-probe-kept-by-setting"
        : whoNeedsProbe(pod, dind.container, container);
      if (keep) return applies(keep);
      delete dind.container.startupProbe;
      return applies("startup-probe-removed");
    };
  },
};

function settingsOf(wait: Profile["docker"]["wait"]): string[] {
  return [
    `timeout=${wait.timeout / 1000}`,
    `interval=${wait.interval / 1000}`,
    `exit-code=${wait.exitCode}`,
    `on-timeout=${wait.onTimeout}`,
  ];
}

/** Why there is no Docker to wait for, if there is none. */
function withoutDocker(runner: Container, hasDind: boolean): MutationReason | undefined {
  if (literalHost(runner).startsWith("npipe:")) return "windows-docker";
  if (setsEnv(runner, "DOCKER_HOST")) return undefined;
  if (!hasDind) return setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS") ? "kubernetes-mode" : "no-docker";
  // The workflow may set DOCKER_HOST itself; a wait for the default socket would then never end well.
  return socketVolumes(runner).length > 0 ? undefined : "docker-out-of-reach";
}

/** Who else relies on the startup probe of the DinD sidecar, if anybody does. */
function whoNeedsProbe(pod: Pod, dind: Container, runner: Container): Note | undefined {
  const initContainers = pod.spec.initContainers ?? [];
  const after = initContainers.slice(initContainers.findIndex(({ name }) => name === dind.name) + 1);
  if (after.some(({ name }) => !name.startsWith(ownPrefix))) return "startup-probe-kept-for-init-container";

  if (runner.lifecycle?.postStart || runner.livenessProbe || runner.startupProbe)
    return "startup-probe-kept-for-runner";

  const shared = socketVolumes(runner);
  const usesDocker = (container: Container) =>
    setsEnv(container, "DOCKER_HOST") || (container.volumeMounts ?? []).some(({ name }) => shared.includes(name));
  const others = [...initContainers.filter(isSidecar), ...pod.spec.containers].filter(
    ({ name }) => name !== runner.name && name !== dind.name,
  );
  if (others.some(usesDocker)) return "startup-probe-kept-for-container";
  return dind.livenessProbe ? "startup-probe-kept-for-liveness-probe" : undefined;
}
