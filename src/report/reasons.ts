// The one vocabulary: annotation, log, metric labels, admission warnings and the CLI all speak these codes, and every
// sentence a person reads about a decision stands here.

/** Why a whole pod was left as it came. */
export const podReasons = {
  "unsupported-review": "The admission review is not admission.k8s.io/v1.",
  "not-a-pod": "The object is not a Pod.",
  "not-a-create": "Only the creation of pods is looked at.",
  "no-object": "The review carries no object.",
  "malformed-pod": "The pod does not have the shape that Kubernetes gives pods, or has more than 1,000 of something.",
  "not-a-runner":
    'The pod lacks the label that ARC gives the runners of a scale set (actions-ephemeral-runner: "True").',
  "legacy-runner": "The pod belongs to ARC's older, summerwind mode, which arc-primer does not serve.",
  "workflow-pod":
    "The pod runs a job's container for a runner (ARC's container hooks made it); it is no runner itself.",
  windows: "The pod runs on Windows, where there is neither a POSIX shell nor Docker-in-Docker.",
  "opted-out": 'The pod asks to be left alone (annotation arc-primer.dev/skip: "true").',
  "profile-disabled": "The profile is switched off (enabled: false).",
  "internal-error": "arc-primer failed on this pod. This is a bug; the log has the error.",
} as const;

/** Why one mutation left the pod as it was. */
export const mutationReasons = {
  disabled: "The profile switches this off (enabled: false).",
  "not-configured": "The profile sets nothing for this.",
  "already-there": "The pod has all of this already.",
  "no-runner-container": "The pod has no container with the runner's name (runner.container in the profile).",
  "no-command":
    "The runner container sets no command, and a command must not be guessed; name it as runner.command in the profile.",
  "no-docker":
    "The pod has no Docker: neither a DinD container nor DOCKER_HOST. In ARC's values: containerMode.type: dind; or, in the profile, docker.inject: true.",
  "kubernetes-mode": "In ARC's kubernetes modes jobs run in pods of their own, without Docker.",
  "docker-out-of-reach":
    "There is a DinD container, but the runner container neither sets DOCKER_HOST nor mounts a volume for /var/run/docker.sock.",
  "docker-in-runner":
    "Docker can only come from the runner container itself: no other container, no path of the node and no address outside the pod can provide what DOCKER_HOST names. A wait would stand before the command that starts Docker.",
  "docker-on-node":
    "The runner container mounts the node's Docker socket, and neither the volume's type (Socket) nor DOCKER_HOST says that the node has Docker. Set one of them to have the runner wait.",
  "wait-declined": "The runner container sets RUNNER_WAIT_FOR_DOCKER_IN_SECONDS to 0, so it is not to wait for Docker.",
  "windows-docker": "DOCKER_HOST is a named pipe, which only Windows has.",
  "docker-elsewhere":
    "The runner container has a Docker of its own: it sets DOCKER_HOST, or mounts a volume where the socket would be.",
  "host-network":
    "The pod is in the node's network (hostNetwork), where dockerd would change the node's bridges and firewall rules.",
  "runner-privileged":
    "The runner container is privileged or runs under sysbox, so that it can have a Docker of its own. Two of them would fight for the same files.",
  "externals-unknown":
    "The runner's command does not tell its folder (it names no run.sh), and DinD needs the Node that is in there.",
  "privilege-forbidden":
    "The namespace enforces Pod Security baseline or restricted, which would refuse the pod with a privileged container, as DinD needs.",
  "name-taken":
    "The pod has a container or a volume by a name that this would give one of its own, or its work folder at a path of dockerd's.",
  "work-subpath":
    "The runner container mounts its work folder by a subPathExpr, which cannot be carried over to a DinD container.",
  "no-image-mirror": "The profile has no mirror for the registries of the pod's images (images.mirrors).",
  "no-proxy": "The runner container has no proxy variables (http_proxy, https_proxy): ARC's values name none.",
  "no-dind": "The pod has no Docker-in-Docker container.",
  "shell-command": "dockerd is started by a shell string, which is not taken apart.",
  "unknown-command": "The DinD container's command starts something other than dockerd.",
  "unknown-entrypoint":
    "The DinD container sets neither command nor args, and its image is not docker:dind: its own would be lost.",
  "config-file": "dockerd is given a --config-file, and stops if a setting is in both the file and a flag.",
  "daemon-json":
    "The DinD container may have a daemon.json (a volume is mounted there, or a container writes one), and dockerd stops if a setting is in both the file and a flag.",
  "pod-security":
    "The namespace enforces Pod Security restricted, which would refuse the pod with a container that runs as root.",
  "read-only-root": "The runner container's root file system is read-only: nothing can be put into it.",
  "escalation-forbidden":
    "The runner container forbids privilege escalation (allowPrivilegeEscalation: false), so sudo cannot put packages in place.",
  "capabilities-dropped":
    "The runner container drops capabilities without which root cannot put packages in place (such as CHOWN or DAC_OVERRIDE).",
  "mirror-not-a-flag":
    "dockerd's --registry-mirror takes no path after /v2; such mirrors of Docker Hub are used by registry-hosts alone.",
  "docker-too-old": "Mirrors of other registries than Docker Hub need Docker 28 or later in the DinD container.",
  "image-store":
    "Docker 28 uses mirrors of other registries than Docker Hub only with the containerd image store: set docker.imageStore: containerd in the profile.",
  "graph-driver":
    "The DinD container asks for one of dockerd's own storage drivers; mirrors of other registries than Docker Hub need the containerd image store.",
  "docker-version-unknown":
    "The DinD image does not tell its version of Docker. If it is 28 or later with the containerd image store, set docker.imageStore: containerd in the profile.",
  "certs-d-mounted":
    "The DinD container has a volume of its own at dockerd's certs.d, or where it would have to be made.",
  "rootless-too-old":
    "Rootless Docker before 23 writes to ~/.config when it starts, and could not if files were mounted there. Use a newer docker:dind-rootless.",
  "no-usable-mirror":
    "None of the mirrors can be used: BuildKit and Dagger ask a mirror at /v2, with a path only after it, and a file cannot hold $(HOST_IP).",
  "buildkit-file-mounted":
    "The runner container has a volume of its own at buildx's folder, or above it one that is more than an emptyDir for itself alone.",
  "buildkit-in-use":
    "The pod has a BuildKit of its own (BUILDKIT_HOST, or a container that runs buildkitd), and buildx refuses buildkitd.default.toml with it. Give the mirrors to that BuildKit.",
  "docker-config-mounted":
    "The runner container has a volume of its own at Docker's config folder, in it, or above it one that is more than an emptyDir for itself alone: logins would outlive the pod there.",
  "dagger-files-mounted":
    "The runner or DinD container has a volume of its own at Dagger's folder, or both share one above it.",
  "path-unknown":
    "A variable that names the folder for the files (HOME, XDG_CONFIG_HOME, DOCKER_CONFIG, BUILDX_CONFIG) has a value that only the kubelet knows.",
  "no-room-for-files": "The pod's annotations, which carry the files, would be larger than 256 KiB.",
  "mutation-failed": "This mutation threw an error and was discarded. This is a bug; the log has the error.",
  "invariant-broken":
    "This mutation would have broken the pod and was discarded. This is a bug; the log has the details.",
} as const;

/** What else there is to know about a mutation or about the choice of the profile. */
export const notes = {
  "startup-probe-removed":
    "The DinD sidecar's startup probe is gone: the wait is faster, and nothing else relied on it.",
  "startup-probe-kept-by-setting": "The DinD sidecar keeps its startup probe, as docker.wait.keepStartupProbe asks.",
  "startup-probe-kept-for-init-container":
    "The DinD sidecar keeps its startup probe: an init container after it may rely on it.",
  "startup-probe-kept-for-container":
    "The DinD sidecar keeps its startup probe: another container that uses Docker may rely on it.",
  "startup-probe-kept-for-runner":
    "The DinD sidecar keeps its startup probe: the runner container has a postStart hook or probes that start with it.",
  "startup-probe-kept-for-liveness-probe":
    "The DinD sidecar keeps its startup probe: it holds back the liveness probe.",
  "startup-probe-kept-for-more":
    "The DinD sidecar keeps its startup probe: it does more than ask whether Docker answers.",
  "own-patience":
    "The pod itself waits longer than the profile (RUNNER_WAIT_FOR_DOCKER_IN_SECONDS, or the startup probe): its time counts.",
  "mirrors-left-out":
    "Some mirrors were left out: BuildKit and Dagger ask a mirror at /v2, with a path only after it, and a file cannot hold $(HOST_IP).",
  "docker-data-kept":
    "Docker's data lies in a volume that may outlive the pod. If a Docker before 29 has filled it, mirrors of other registries than Docker Hub are not used.",
  "feature-flag-left-out":
    "dockerd could not be given --feature=containerd-snapshotter=true; mirrors of other registries work if its configuration file says so.",
  "certs-d-hidden":
    "The DinD image is not docker:dind. What it has itself in dockerd's certs.d is hidden by the files that are mounted there.",
  "certs-d-shared":
    "The DinD container mounts files of its own for single registries in dockerd's certs.d. They stay. Registries with a port in their name were left out, because a mount path cannot contain a colon.",
  "system-store-mounted":
    "The runner container has a volume of its own at /etc/ssl/certs or /usr/local/share/ca-certificates, which stays as it is: only Node trusts the certificates (NODE_EXTRA_CA_CERTS).",
  "system-store-read-only":
    "The runner container's root file system is read-only, so only Node trusts the certificates (NODE_EXTRA_CA_CERTS).",
  "custom-image":
    "The DinD image is not docker:dind. If it has a daemon.json with the same settings, dockerd will not start.",
  "flag-kept": "dockerd is given one of these flags already; the pod's own stays.",
  "flags-left-out":
    "dockerd's flags were left out: it reads a configuration file, or is not started by a command line that can be added to.",
  "image-kept": "The DinD container has an image that is not the stock docker:dind; the pod's own stays.",
  "host-ip-taken": "The DinD container means something else by HOST_IP; mirrors on the node's address were left out.",
  "env-kept": "The container sets one of these variables already; the pod's own value stays.",
  "resources-kept": "The container or the pod has resources already (its own, or a LimitRange's); they stay.",
  "pre-stop-kept":
    "The DinD container has a preStop hook of its own; it stays, and is what keeps dockerd until the runner has ended.",
  "unknown-profile": "The pod asks for a profile that is not defined; the rule's own is used.",
  "profile-not-allowed": "The pod asks for a profile that the rules do not allow it; the rule's own is used.",
  "no-room-for-status": "The pod's annotations are full; arc-primer.dev/status was left out.",
} as const;

export type PodReason = keyof typeof podReasons;
export type MutationReason = keyof typeof mutationReasons;
export type Note = keyof typeof notes;
export type Code = PodReason | MutationReason | Note;

/** What someone has to look into: these, and only these, become admission warnings. */
const problems = new Set<Code>([
  "unsupported-review",
  "malformed-pod",
  "internal-error",
  "no-runner-container",
  "mutation-failed",
  "invariant-broken",
  "unknown-profile",
  "profile-not-allowed",
  "no-room-for-status",
  "no-room-for-files",
]);

const sentences: Readonly<Record<Code, string>> = { ...podReasons, ...mutationReasons, ...notes };

/** The sentence that goes with a code. */
export function explain(code: Code): string {
  return sentences[code];
}

export function isProblem(code: Code): boolean {
  return problems.has(code);
}
