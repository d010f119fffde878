import { isSidecar } from "../pod/containers.ts";
import { setsEnv } from "../pod/env.ts";
import type { Container, Pod } from "../pod/types.ts";
import { unwrappedCommand } from "../pod/wrap.ts";
import { findDinds, startsDockerd } from "./dind.ts";
import type { ContainerNames } from "./dind.ts";
import { defaultSocket, literalHost, volumesAtSocket } from "./socket.ts";

/**
 * What provides the Docker that the runner container uses:
 *
 * - `provided`: another container, the node, or an address outside the pod
 * - `node`: the node's socket, which may not exist
 * - `in-runner`: the runner container itself, which may start it; nothing else can provide it
 * - `out-of-reach`: there is a DinD container, but the runner container has no address for it
 * - `windows`: a named pipe
 * - `none`: nothing; the pod has no Docker
 */
export type DockerSource = "provided" | "node" | "in-runner" | "out-of-reach" | "windows" | "none";

export function dockerSource(pod: Pod, runner: Container, names: ContainerNames): DockerSource {
  const host = literalHost(runner);
  if (host.startsWith("npipe:")) return "windows";
  if (setsEnv(runner, "DOCKER_HOST"))
    return isProvided(pod, runner, names, host) || !mayStartEngine(pod, runner, names) ? "provided" : "in-runner";
  const onNode = nodeVolumes(pod, volumesAtSocket(runner, defaultSocket));
  if (onNode.length > 0) return onNode.some(({ hostPath }) => hostPath?.type === "Socket") ? "provided" : "node";
  if (findDinds(pod, names).length === 0) return "none";
  // The workflow may set DOCKER_HOST itself. Waiting for the default socket would then always time out.
  return isSocketProvided(pod, runner, names, defaultSocket) ? "provided" : "out-of-reach";
}

/** Whether something other than the runner container can provide Docker at an address. If unknown, assume it can. */
function isProvided(pod: Pod, runner: Container, names: ContainerNames, host: string): boolean {
  if (host.startsWith("unix://")) return isSocketProvided(pod, runner, names, host.slice("unix://".length));
  const [, name = "", port] = /^\w+:\/\/(\[[^\]]*\]|[^:/]*)(?::(\d+))?/.exec(host) ?? [];
  const isLoopback = /^(localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\])$/.test(name);
  if (!isLoopback || pod.spec.hostNetwork) return true;
  const listens = ({ ports }: Container) => ports?.some(({ containerPort }) => String(containerPort) === port) ?? false;
  return canProvide(pod, runner, names, concurrentContainers(pod, runner), listens);
}

function isSocketProvided(pod: Pod, runner: Container, names: ContainerNames, socket: string): boolean {
  const volumes = volumesAtSocket(runner, socket);
  if (nodeVolumes(pod, volumes).length > 0) return true;
  const sharers = concurrentContainers(pod, runner).filter(({ volumeMounts }) =>
    volumeMounts?.some(({ name }) => volumes.includes(name)),
  );
  return canProvide(pod, runner, names, sharers);
}

/**
 * Whether one of these containers may provide Docker. If none of them is known to run an engine, one still may, unless
 * the runner container starts an engine itself.
 */
function canProvide(
  pod: Pod,
  runner: Container,
  names: ContainerNames,
  others: readonly Container[],
  listens: (container: Container) => boolean = () => false,
): boolean {
  const dinds = findDinds(pod, names).map(({ container }) => container);
  const runsEngine = (container: Container) =>
    dinds.includes(container) || container.securityContext?.privileged === true || mentionsPodman(container);
  return others.some((one) => runsEngine(one) || listens(one)) || (others.length > 0 && !startsEngine(pod, runner));
}

/** The containers that run at the same time as the runner container. */
function concurrentContainers({ spec }: Pod, runner: Container): Container[] {
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].filter(
    ({ name }) => name !== runner.name,
  );
}

/** Volumes that may contain a socket from outside the pod. */
function nodeVolumes({ spec }: Pod, names: readonly string[]) {
  return (spec.volumes ?? []).filter(
    ({ name, hostPath, csi, flexVolume }) => names.includes(name) && (hostPath ?? csi ?? flexVolume),
  );
}

function mentionsPodman(container: Container): boolean {
  return [container.image ?? "", ...unwrappedCommand(container)].some((arg) => /\bpodman\b/.test(arg));
}

/** Whether the runner container starts an engine: by its command, an init system or a job hook, or under sysbox. */
function startsEngine(pod: Pod, runner: Container): boolean {
  const argv = unwrappedCommand(runner);
  const byCommand = argv.some((arg) => /\b(podman|systemd|systemctl|service docker)\b|(^|\/)init$/.test(arg));
  if (byCommand || startsDockerd(argv) || isSysbox(pod)) return true;
  return runner.securityContext?.privileged === true && setsEnv(runner, "ACTIONS_RUNNER_HOOK_JOB_STARTED");
}

/**
 * Whether the runner container may start an engine. It cannot if it runs the plain `run.sh`, without privileges and
 * without a job hook. In that case Docker is missing, and the wait for Docker reports it.
 */
function mayStartEngine(pod: Pod, runner: Container, names: ContainerNames): boolean {
  const argv = runner.command?.length ? unwrappedCommand(runner) : (names.runner.command ?? []);
  return (
    !/^(.*\/)?run\.sh$/.test(argv[0] ?? "") ||
    startsEngine(pod, runner) ||
    runner.securityContext?.privileged === true ||
    setsEnv(runner, "ACTIONS_RUNNER_HOOK_JOB_STARTED")
  );
}

/** sysbox-runc runs dockerd and systemd in containers without privileges (nestybox/sysbox, docs/user-guide). */
export function isSysbox({ spec }: Pod): boolean {
  return spec.runtimeClassName?.includes("sysbox") ?? false;
}
