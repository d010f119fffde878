import type { Profile } from "../config/schema.ts";
import { findContainer, findDind, setsEnv } from "../pod/containers.ts";
import { dindFor, socketPath, socketVolume } from "../docker/new-dind.ts";
import type { Dind } from "../docker/new-dind.ts";
import { volumesAtSocket } from "../docker/socket.ts";
import type { Container, Pod } from "../pod/types.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";

const workFolder = "/home/runner/_work";

/**
 * Docker for a pod that has none: adds the DinD container that ARC's own chart makes for `containerMode.type: dind`.
 * The mutations after this one find it as if the pod had come with it.
 *
 * It grants jobs a privileged container, so it is off unless a profile asks for it, and left out where Pod Security
 * would refuse the pod. No container that is there gets a privilege.
 */
export const injectDocker: Mutation = {
  name: "inject-docker",
  may: ["add-privileged-containers"],
  unwanted: ({ docker }) => (docker.inject ? undefined : "not-configured"),
  mutate(pod, { runner: { container: name }, docker }, { podSecurity }) {
    const runner = findContainer(pod, name);
    if (!runner) return doesNotApply("no-runner-container");
    if (findDind(pod, { dind: docker.container, runner: name })) return applies();
    if (setsEnv(runner, "ACTIONS_RUNNER_CONTAINER_HOOKS")) return doesNotApply("kubernetes-mode");
    if (hasDocker(runner, docker.injected.rootless)) return doesNotApply("docker-elsewhere");
    if (podSecurity !== "privileged") return doesNotApply("privilege-forbidden");

    const work = workMount(runner);
    if (work.subPathExpr) return doesNotApply("work-subpath");
    const dind = dindFor(pod, runner, work, settingsOf(docker));
    if (isNameTaken(pod, dind)) return doesNotApply("name-taken");
    add(pod, dind, work.name);
    connect(runner, dind, work);
    return applies();
  },
};

/** Image and resources are docker.daemon's, as for any other DinD, unless those are switched off. */
function settingsOf({ container, daemon, injected }: Profile["docker"]): Parameters<typeof dindFor>[3] {
  const { image, resources } = daemon.enabled ? daemon : {};
  return { name: container, ...injected, image, resources };
}

function hasDocker(runner: Container, rootless: boolean): boolean {
  const sockets = [socketPath(false), socketPath(rootless)];
  return setsEnv(runner, "DOCKER_HOST") || sockets.some((socket) => volumesAtSocket(runner, socket).length > 0);
}

/** How the runner mounts its work folder, or, where it does not, how ARC would. */
function workMount(runner: Container): NonNullable<Container["volumeMounts"]>[number] {
  const mounts = runner.volumeMounts ?? [];
  const mount =
    mounts.find(({ mountPath }) => mountPath.replace(/\/+$/, "") === workFolder) ??
    mounts.find(({ name }) => name === "work");
  return mount ?? { name: "work", mountPath: workFolder };
}

function isNameTaken({ spec }: Pod, dind: Dind): boolean {
  const containers = new Set([...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name));
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  return (
    [...dind.initContainers, ...dind.containers].some(({ name }) => containers.has(name)) ||
    dind.volumes.some((name) => volumes.has(name)) ||
    [...dind.initContainers, ...dind.containers].some(({ volumeMounts = [] }) => mountsTwice(volumeMounts))
  );
}

/** A work folder at a path of dockerd's own. */
function mountsTwice(mounts: NonNullable<Container["volumeMounts"]>): boolean {
  return new Set(mounts.map(({ mountPath }) => mountPath.replace(/\/+$/, ""))).size < mounts.length;
}

/** Adds what is new to the pod, after all that is there: sidecars of a mesh go on being the first. */
function add({ spec }: Pod, dind: Dind, work: string): void {
  (spec.initContainers ??= []).push(...dind.initContainers);
  spec.containers.push(...dind.containers);
  const volumes = (spec.volumes ??= []);
  const missing = volumes.some(({ name }) => name === work) ? dind.volumes : [...dind.volumes, work];
  volumes.push(...missing.map((name) => ({ name, emptyDir: {} })));
}

function connect(runner: Container, { socket }: Dind, work: ReturnType<typeof workMount>): void {
  const env = (runner.env ??= []);
  env.push({ name: "DOCKER_HOST", value: `unix://${socket}` });
  if (!env.some(({ name }) => name === "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS")) {
    env.push({ name: "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS", value: "120" });
  }
  const mounts = (runner.volumeMounts ??= []);
  if (!mounts.some(({ mountPath }) => mountPath === work.mountPath)) mounts.push({ ...work });
  mounts.push({ name: socketVolume, mountPath: socket.replace(/\/docker\.sock$/, "") });
}
