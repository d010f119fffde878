import { escapeForKubelet } from "../pod/expansion.ts";
import { proxyAndResources, helperContainer } from "../pod/helper-container.ts";
import type { Container, Mount, Pod } from "../pod/types.ts";
import type { Layout } from "./dind.ts";
import { proxyForDockerd } from "./proxy.ts";
import { defaultSocket } from "./socket.ts";

type Resources = NonNullable<Container["resources"]>;

/** What an added DinD is to be. */
export interface DindSettings {
  readonly name: string;
  readonly layout: Layout;
  readonly rootless: boolean;
  /** The runner's folder, which has the externals: dockerd must see them at the same path. */
  readonly root: string;
  /** Hosts that dockerd reaches without ARC's proxy. */
  readonly direct: readonly string[];
  /** The shell script by which root prepares the pod for a rootless dockerd; its arguments are the user and two folders. */
  readonly prepareRootless: string;
  /** Instead of docker:dind or docker:dind-rootless. */
  readonly image?: string | undefined;
  /** Instead of the runner's own. */
  readonly resources?: Resources | undefined;
}

/** All that makes a DinD: where its socket is, the containers in their order, the volumes that they need. */
export interface DindParts {
  readonly socket: string;
  readonly initContainers: Container[];
  readonly containers: Container[];
  readonly volumes: readonly string[];
}

const externals = "dind-externals";
export const socketVolume = "dind-sock";
/** The user of GitHub's runner image, which rootless dockerd has to share, for its files and for the socket. */
const runnerUser = 1001;

export function socketPath(rootless: boolean): string {
  return rootless ? `/run/user/${runnerUser}/docker.sock` : defaultSocket;
}

/**
 * DinD as ARC 0.14.2's chart makes it for `containerMode.type: dind` (charts/gha-runner-scale-set, _helpers.tpl), and
 * the rootless one of GitHub's documentation ("Deploying runner scale sets", rootless Docker-in-Docker), which is
 * privileged as well. Beyond the chart it has ARC's proxy, without which dockerd could pull nothing, and the runner's
 * resources where the settings name none, so that a quota does not refuse the pod.
 *
 * @param work how the runner mounts its work folder: dockerd must see it at the same path
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

/** Actions run Node from the runner's externals, also inside job containers, so dockerd has to see them. */
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
  const proxy = proxyForDockerd(runner, settings.direct);
  const host = `unix://${socketPath(rootless)}`;
  return {
    name,
    image,
    args: ["dockerd", `--host=${host}`, ...(rootless ? [] : ["--group=$(DOCKER_GROUP_GID)"])],
    env: [
      ...(rootless
        ? [
            { name: "HOME", value: "/home/runner" },
            { name: "DOCKER_HOST", value: host }, // for the probe, and for people who look into the container
          ]
        : [{ name: "DOCKER_GROUP_GID", value: "123" }]),
      ...proxy,
    ],
    ...amountsFor(pod, resources ?? withoutDevices(inherited)),
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

/** Where the pod as a whole has limits, a container's own might not fit into them. */
function amountsFor({ spec }: Pod, resources: Resources | undefined): Pick<Container, "resources"> {
  return resources && !spec.resources ? { resources: { ...resources } } : {};
}

/** dockerd runs beside the runner: taking after its GPU would be asking for a second one. */
function withoutDevices(resources: Resources | undefined): Resources | undefined {
  if (!resources) return undefined;
  const plain = (amounts: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(amounts).filter(([name]) => ["cpu", "memory", "ephemeral-storage"].includes(name)),
    );
  const { limits, requests } = resources;
  return { ...(limits && { limits: plain(limits) }), ...(requests && { requests: plain(requests) }) };
}

/** Root is the image's own user; it has to be said where the pod says otherwise, or the container would not start. */
function daemonUser({ spec }: Pod, rootless: boolean): Container["securityContext"] {
  if (rootless) return { runAsUser: runnerUser, runAsGroup: runnerUser };
  const { runAsUser, runAsGroup, runAsNonRoot } = spec.securityContext ?? {};
  return runAsUser || runAsGroup || runAsNonRoot ? { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false } : {};
}

/** Root makes the files by which the runner's user may start a dockerd: names, and ranges of users of its own. */
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
