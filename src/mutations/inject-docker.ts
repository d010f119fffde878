import type { Profile } from "../config/schema.ts";
import { findDind } from "../docker/dind.ts";
import { volumesAtSocket } from "../docker/socket.ts";
import { isSysbox } from "../docker/source.ts";
import { socketPath, socketVolume, stockDind } from "../docker/stock-dind.ts";
import type { DindParts, DindSettings } from "../docker/stock-dind.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, usesKubernetesHooks } from "../pod/containers.ts";
import { envEntry, setsEnv } from "../pod/env.ts";
import { runnerRoot } from "../pod/home.ts";
import { ensureVolume, positionOf, trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container, Mount, Pod } from "../pod/types.ts";
import { mirrorHosts } from "../registries/endpoint.ts";
import type { MutationReason } from "../report/reasons.ts";
import prepareRootless from "../scripts/prepare-rootless.sh";

/**
 * Adds Docker to a pod that has none: the DinD container that ARC's chart creates for `containerMode.type: dind`. The
 * following mutations treat it as part of the original pod.
 *
 * This gives jobs access to a privileged container. So it is opt-in, and it does not apply if Pod Security would reject
 * the pod. Existing containers get no additional privileges.
 */
export const injectDocker: Mutation = {
  name: "inject-docker",
  permissions: ["add-privileged-containers"],
  configure(profile) {
    const { docker } = profile;
    if (!docker.inject) return "not-configured";
    const settings = dindSettings(profile);

    return (pod, { podSecurity }) => {
      const runner = findContainer(pod, profile.runner.container);
      if (!runner) return doesNotApply("no-runner-container");
      if (findDind(pod, profile)) return applies();
      if (usesKubernetesHooks(runner)) return doesNotApply("kubernetes-mode");
      if (hasDocker(runner, settings.rootless)) return doesNotApply("docker-elsewhere");
      if (podSecurity !== "privileged") return doesNotApply("privilege-forbidden");
      const obstacle = injectObstacle(pod, runner, profile.runner.command);
      if (obstacle) return doesNotApply(obstacle);
      const root = runnerRoot(runner, profile.runner);
      if (root === undefined) return doesNotApply("externals-unknown");

      const work = workMount(runner, `${root}/_work`);
      if (work.subPathExpr) return doesNotApply("work-subpath");
      const dind = stockDind(pod, runner, work, { ...settings, root });
      if (isNameTaken(pod, dind)) return doesNotApply("name-taken");
      addDind(pod, dind, work.name);
      connectRunner(runner, dind, work);
      return applies();
    };
  },
};

/** Image and resources come from docker.daemon, as for any other DinD container, unless docker.daemon is disabled. */
function dindSettings({ docker, registries }: Profile): Omit<DindSettings, "root"> {
  const { container, daemon, injected, proxy } = docker;
  const { image, resources } = daemon.enabled ? daemon : {};
  const noProxyHosts = proxy.enabled ? mirrorHosts(registries) : [];
  return { name: container, ...injected, image, resources, noProxyHosts, prepareRootless };
}

/** The reason why DinD could not work in this pod or would do harm, if there is one. */
function injectObstacle(
  pod: Pod,
  runner: Container,
  command: readonly string[] | undefined,
): MutationReason | undefined {
  if (pod.spec.hostNetwork) return "host-network";
  if (runner.securityContext?.privileged || isSysbox(pod)) return "runner-privileged";
  return runner.command?.length || command ? undefined : "no-command";
}

function hasDocker(runner: Container, rootless: boolean): boolean {
  const sockets = [socketPath(false), socketPath(rootless)];
  return setsEnv(runner, "DOCKER_HOST") || sockets.some((socket) => volumesAtSocket(runner, socket).length > 0);
}

/** The runner's mount of its work directory. If it has none, the mount that ARC would add. */
function workMount(runner: Container, folder: string): Mount {
  const mounts = runner.volumeMounts ?? [];
  const mount = mounts.find((one) => positionOf(one, folder) === "at") ?? mounts.find(({ name }) => name === "work");
  return mount ?? { name: "work", mountPath: folder };
}

function isNameTaken({ spec }: Pod, dind: DindParts): boolean {
  const containers = new Set([...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name));
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  return (
    [...dind.initContainers, ...dind.containers].some(({ name }) => containers.has(name)) ||
    dind.volumes.some((name) => volumes.has(name)) ||
    [...dind.initContainers, ...dind.containers].some(({ volumeMounts }) => hasDuplicatePath(volumeMounts ?? []))
  );
}

/** Whether two mounts have the same path, for example if the work directory is at a path that dockerd needs. */
function hasDuplicatePath(mounts: readonly Mount[]): boolean {
  return new Set(mounts.map(({ mountPath }) => trimTrailingSlashes(mountPath))).size < mounts.length;
}

/** Appends the new parts after the existing ones, so that a service mesh's sidecars stay first. */
function addDind(pod: Pod, dind: DindParts, work: string): void {
  const { spec } = pod;
  (spec.initContainers ??= []).push(...dind.initContainers);
  spec.containers.push(...dind.containers);
  for (const name of [...dind.volumes, work]) ensureVolume(pod, { name, emptyDir: {} });
}

/** Makes the runner container use the socket of the added DinD, and mounts the work directory if it is not mounted. */
function connectRunner(runner: Container, { socket }: DindParts, work: Mount): void {
  const env = (runner.env ??= []);
  env.push({ name: "DOCKER_HOST", value: `unix://${socket}` });
  if (!envEntry(runner, "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS")) {
    env.push({ name: "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS", value: "120" });
  }
  const mounts = (runner.volumeMounts ??= []);
  if (!mounts.some(({ mountPath }) => mountPath === work.mountPath)) mounts.push({ ...work });
  mounts.push({ name: socketVolume, mountPath: socket.replace(/\/docker\.sock$/, "") });
}
