import { escapeForKubelet } from "../pod/expansion.ts";
import { proxyAndResources, helperContainer } from "../pod/helper-container.ts";
import type { Container, Mount, Pod } from "../pod/types.ts";
import type { Layout } from "./dind.ts";
import { proxyForDockerd } from "./proxy.ts";
import { defaultSocket } from "./socket.ts";

type Resources = NonNullable<Container["resources"]>;

/** The settings of a DinD container that is added to a pod. */
export interface DindSettings {
  readonly name: string;
  readonly layout: Layout;
  readonly rootless: boolean;
  /** The runner's directory, which contains the externals. dockerd must see them at the same path. */
  readonly root: string;
  /** Hosts that dockerd must reach without ARC's proxy. They are added to NO_PROXY. */
  readonly noProxyHosts: readonly string[];
  /** The shell script that prepares the pod for a rootless dockerd, as root. Its arguments: the user ID, two directories. */
  readonly prepareRootless: string;
  /** The image to use instead of docker:dind or docker:dind-rootless. */
  readonly image?: string | undefined;
  /** The resources to use instead of those of the runner container. */
  readonly resources?: Resources | undefined;
}

/** The parts of a DinD setup: the path of its socket, the containers in order, and the volumes that they need. */
export interface DindParts {
  readonly socket: string;
  readonly initContainers: Container[];
  readonly containers: Container[];
  readonly volumes: readonly string[];
}

const externals = "dind-externals";
export const socketVolume = "dind-sock";
/** The user ID in GitHub's runner image. Rootless dockerd must run as the same user, for its files and for the socket. */
const runnerUser = 1001;

export function socketPath(rootless: boolean): string {
  return rootless ? `/run/user/${runnerUser}/docker.sock` : defaultSocket;
}

/**
 * Builds DinD as the chart of ARC 0.14.2 does for `containerMode.type: dind` (charts/gha-runner-scale-set,
 * _helpers.tpl). The rootless variant is the one in GitHub's documentation ("Deploying runner scale sets", rootless
 * Docker-in-Docker), which is also privileged. In addition, dockerd gets ARC's proxy, without which it could not pull. If
 * the settings contain no resources, it gets those of the runner container, so that a quota does not reject the pod.
 *
 * @param work the mount of the work directory in the runner container. dockerd must see it at the same path
 */
export function stockDind(pod: Pod, runner: Container, work: Mount, settings: DindSettings): DindParts {
  const { layout, rootless } = settings;
  const socket = socketPath(rootless);
  const daemon = dockerd(pod, runner, work, settings);
  return {
    socket,
    initContainers: [
      copyExternals(runner, settings.root),
      ...(rootless ? [rootlessPreparation(daemon, settings.prepareRootless)] : []),
      ...(layout === "sidecar" ? [{ ...daemon, ...sidecarFields }] : []),
    ],
    containers: layout === "container" ? [daemon] : [],
    volumes: [socketVolume, externals, ...(rootless ? ["dind-etc", "dind-home"] : [])],
  };
}

const sidecarFields = {
  restartPolicy: "Always",
  startupProbe: {
    exec: { command: ["docker", "info"] },
    initialDelaySeconds: 0,
    failureThreshold: 24,
    periodSeconds: 5,
  },
};

/** Actions use Node.js from the runner's externals, also in job containers. So dockerd must be able to mount them. */
function copyExternals(runner: Container, root: string): Container {
  const { runAsUser, runAsGroup, runAsNonRoot } = runner.securityContext ?? {};
  const user = {
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    ...(runAsNonRoot !== undefined && { runAsNonRoot }),
  };
  return helperContainer(runner, {
    name: "init-dind-externals",
    command: ["cp"],
    args: ["-r", `${root}/externals/.`, "/home/runner/tmpDir/"],
    ...(Object.keys(user).length > 0 && { securityContext: user }),
    volumeMounts: [{ name: externals, mountPath: "/home/runner/tmpDir" }],
  });
}

function dockerd(pod: Pod, runner: Container, work: Mount, settings: DindSettings): Container {
  const { name, rootless, image = rootless ? "docker:dind-rootless" : "docker:dind", resources } = settings;
  const { resources: inherited } = proxyAndResources(runner);
  const proxy = proxyForDockerd(runner, settings.noProxyHosts);
  const host = `unix://${socketPath(rootless)}`;
  return {
    name,
    image,
    args: ["dockerd", `--host=${host}`, ...(rootless ? [] : ["--group=$(DOCKER_GROUP_GID)"])],
    env: [
      ...(rootless
        ? [
            { name: "HOME", value: "/home/runner" },
            { name: "DOCKER_HOST", value: host }, // for the startup probe, and for debugging in the container
          ]
        : [{ name: "DOCKER_GROUP_GID", value: "123" }]),
      ...proxy,
    ],
    ...resourcesFor(pod, resources ?? withoutDevices(inherited)),
    securityContext: { privileged: true, ...daemonUser(pod, rootless) },
    volumeMounts: [
      { ...work },
      { name: socketVolume, mountPath: socketPath(rootless).replace(/\/docker\.sock$/, "") },
      { name: externals, mountPath: `${settings.root}/externals` },
      ...(rootless
        ? [
            { name: "dind-etc", mountPath: "/etc" },
            { name: "dind-home", mountPath: "/home/runner" },
          ]
        : []),
    ],
  };
}

/** Sets no resources if the pod has pod-level resources, because they might not fit into the pod's limits. */
function resourcesFor({ spec }: Pod, resources: Resources | undefined): Pick<Container, "resources"> {
  return resources && !spec.resources ? { resources: { ...resources } } : {};
}

/** Removes extended resources: copying the runner's GPU request, for example, would request a second GPU. */
function withoutDevices(resources: Resources | undefined): Resources | undefined {
  if (!resources) return undefined;
  const withoutExtended = (amounts: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(amounts).filter(([name]) => ["cpu", "memory", "ephemeral-storage"].includes(name)),
    );
  const { limits, requests } = resources;
  return {
    ...(limits && { limits: withoutExtended(limits) }),
    ...(requests && { requests: withoutExtended(requests) }),
  };
}

/** The image runs as root. If the pod sets another user, root must be set explicitly, or the container would not start. */
function daemonUser({ spec }: Pod, rootless: boolean): Container["securityContext"] {
  if (rootless) return { runAsUser: runnerUser, runAsGroup: runnerUser };
  const { runAsUser, runAsGroup, runAsNonRoot } = spec.securityContext ?? {};
  return runAsUser || runAsGroup || runAsNonRoot ? { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false } : {};
}

/** Creates, as root, the files that let the runner's user start dockerd: passwd entries and subordinate ID ranges. */
function rootlessPreparation({ image, resources }: Container, script: string): Container {
  const name = "init-dind-rootless";
  return {
    name,
    ...(image && { image }),
    command: ["sh", "-c", escapeForKubelet(script), name, String(runnerUser), "/dind-etc", "/dind-home"],
    ...(resources && { resources }),
    securityContext: { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false },
    volumeMounts: [
      { name: "dind-etc", mountPath: "/dind-etc" },
      { name: "dind-home", mountPath: "/dind-home" },
    ],
  };
}
