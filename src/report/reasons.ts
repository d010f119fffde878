import { notes } from "./notes.ts";

// The codes used in the status annotation, the log, metric labels, admission warnings and the CLI. Every sentence that
// users read about a decision is here or in notes.ts.

/** The reasons why a whole pod was left unchanged. */
export const podReasons = {
  "unsupported-review": "The admission review is not admission.k8s.io/v1.",
  "not-a-pod": "The object is not a Pod.",
  "not-a-create": "Only the creation of pods is looked at.",
  "no-object": "The review carries no object.",
  "pod-too-large":
    "The pod holds more than arc-primer looks through: more than 20,000 values, or 1 MiB of text, beside its managedFields.",
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

/** The reasons why a mutation left the pod unchanged. */
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
  "runner-pre-stop":
    "The runner container has a preStop hook of its own; it stays, so nothing else waits for a running job.",
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
  "no-externals-copy": "No init container copies the runner's externals into a volume for Docker.",
  "externals-copy-unknown":
    "The init container that copies the runner's externals does more than that, or copies in a way that is not known.",
  "externals-shared":
    "The volume for the runner's externals is not a whole emptyDir for the DinD container alone, so it stays as it is.",
  "memory-limit": "A memory limit of the pod is below 1Gi, which is too low for the runner's externals (about 600 MB).",
  "data-root-unknown":
    "Where Docker keeps its data cannot be told: dockerd may read a configuration file, is not started by a plain command line, or is given a path that only the kubelet knows.",
  "data-root-rootless":
    "A rootless dockerd may not set the permissions of a volume at its data-root, and ends. Give its user a home from an emptyDir, as GitHub's template does, no --data-root, and docker.data.emptyDir.",
  "docker-data-mounted":
    "The DinD container has a volume of its own where Docker keeps its data, in that folder or above it; it stays.",
  "docker-data-memory":
    "The DinD container or the pod has a memory limit below docker.data.emptyDir.sizeLimit, and what is in memory counts against it.",
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

export type PodReason = keyof typeof podReasons;
export type MutationReason = keyof typeof mutationReasons;
export type Note = keyof typeof notes;
export type Code = PodReason | MutationReason | Note;

/** The codes that need attention. Only these become admission warnings. */
const problems = new Set<Code>([
  "unsupported-review",
  "pod-too-large",
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

/** The sentence that explains a code. */
export function explain(code: Code): string {
  return sentences[code];
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(sentences, text);
}

export function needsAttention(code: Code): boolean {
  return problems.has(code);
}
