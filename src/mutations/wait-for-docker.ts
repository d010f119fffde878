import type { Profile } from "../config/schema.ts";
import { findDind } from "../docker/dind.ts";
import { socketVolumes } from "../docker/socket.ts";
import { dockerSource } from "../docker/source.ts";
import type { DockerSource } from "../docker/source.ts";
import { onlyChecksDocker, probeTimeout } from "../docker/startup-probe.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { findContainer, isSidecar, ownPrefix, usesKubernetesHooks } from "../pod/containers.ts";
import { envEntry, setsEnv } from "../pod/env.ts";
import type { Container, Pod } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import type { MutationReason, Note } from "../report/reasons.ts";
import script from "../scripts/wait-for-docker.sh";

/** The name of the wrapper. `externals-volume` uses it to append arguments. */
export const waitName = "arc-primer-wait";
const wrapper = defineWrapper(waitName, script);

/**
 * Makes the runner wait for Docker, by wrapping the runner container's command in src/scripts/wait-for-docker.sh. The
 * runner image's own wait starts the runner even if Docker is not available, and the job that it then takes fails.
 *
 * With this wait, the startup probe of a DinD sidecar only costs time (the kubelet probes every 5 s). So it is removed if
 * nothing else relies on it.
 */
export const waitForDocker: Mutation = {
  name: "wait-for-docker",
  configure(profile) {
    const { wait } = profile.docker;
    if (!wait.enabled) return "disabled";

    return (pod) => {
      const container = findContainer(pod, profile.runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const obstacle = waitObstacle(container, dockerSource(pod, container, profile));
      if (obstacle) return doesNotApply(obstacle);

      const dind = findDind(pod, profile);
      const probe = dind?.layout === "sidecar" ? dind.container.startupProbe : undefined;
      const reasonToKeep = dind && probe && reasonToKeepProbe(pod, dind.container, container, wait);
      const podTimeout = Math.max(
        runnerTimeout(container),
        probe && !reasonToKeep ? unlessArcDefault(probeTimeout(probe)) : 0,
      );
      const notes: Note[] = podTimeout > wait.timeout / 1000 ? ["own-patience"] : [];
      const settings = settingsOf(wait, Math.max(wait.timeout / 1000, podTimeout));
      if (!wrapCommand(container, wrapper, settings, profile.runner.command)) return doesNotApply("no-command");
      if (!dind || !probe) return applies(...notes);
      if (reasonToKeep) return applies(reasonToKeep, ...notes);
      delete dind.container.startupProbe;
      return applies("startup-probe-removed", ...notes);
    };
  },
};

function settingsOf(wait: Profile["docker"]["wait"], timeout: number): string[] {
  return [
    `timeout=${timeout}`,
    `interval=${wait.interval / 1000}`,
    `exit-code=${wait.exitCode}`,
    `on-timeout=${wait.onTimeout}`,
  ];
}

const obstacles: Readonly<Record<DockerSource, MutationReason | undefined>> = {
  provided: undefined,
  node: "docker-on-node",
  "in-runner": "docker-in-runner",
  "out-of-reach": "docker-out-of-reach",
  windows: "windows-docker",
  none: "no-docker",
};

/** The reason why the runner container must not wait for Docker, if there is one. */
function waitObstacle(runner: Container, source: DockerSource): MutationReason | undefined {
  if (source === "none" && usesKubernetesHooks(runner)) return "kubernetes-mode";
  return obstacles[source] ?? (waitVariable(runner) === 0 ? "wait-declined" : undefined);
}

/** The pod's own timeout in seconds, from the variable of the runner image's own wait; 0 if it is not set or the default. */
function runnerTimeout(runner: Container): number {
  return unlessArcDefault(waitVariable(runner) ?? 0);
}

/** The variable of the runner image's own wait (actions/runner, images, run-helper.sh). */
function waitVariable(runner: Container): number | undefined {
  const value = envEntry(runner, "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS")?.value?.trim() ?? "";
  return /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

/** 0 for ARC's default of 120 s (in the variable; in the probe as 24 × 5 s), which the pod's author has not chosen. */
function unlessArcDefault(seconds: number): number {
  return seconds === 120 ? 0 : seconds;
}

/** The reason why the DinD sidecar must keep its startup probe, if there is one. */
function reasonToKeepProbe(
  pod: Pod,
  dind: Container,
  runner: Container,
  { keepStartupProbe }: Profile["docker"]["wait"],
): Note | undefined {
  if (keepStartupProbe) return "startup-probe-kept-by-setting";
  if (dind.startupProbe && !onlyChecksDocker(dind.startupProbe)) return "startup-probe-kept-for-more";
  return probeDependency(pod, dind, runner);
}

/** A note that names what else relies on the startup probe of the DinD sidecar. Undefined if nothing does. */
function probeDependency(pod: Pod, dind: Container, runner: Container): Note | undefined {
  const initContainers = pod.spec.initContainers ?? [];
  const laterInitContainers = initContainers.slice(initContainers.findIndex(({ name }) => name === dind.name) + 1);
  // Sidecars are checked below, together with the regular containers.
  if (laterInitContainers.some((one) => !isSidecar(one) && !one.name.startsWith(ownPrefix)))
    return "startup-probe-kept-for-init-container";

  if (runner.lifecycle?.postStart || runner.livenessProbe || runner.startupProbe)
    return "startup-probe-kept-for-runner";

  const socketVolumeNames = socketVolumes(runner);
  const usesDocker = (container: Container) =>
    setsEnv(container, "DOCKER_HOST") ||
    (container.volumeMounts ?? []).some(({ name }) => socketVolumeNames.includes(name));
  const others = [...initContainers.filter(isSidecar), ...pod.spec.containers].filter(
    ({ name }) => name !== runner.name && name !== dind.name,
  );
  if (others.some(usesDocker)) return "startup-probe-kept-for-container";
  return dind.livenessProbe ? "startup-probe-kept-for-liveness-probe" : undefined;
}
