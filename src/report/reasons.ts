import { notes } from "./notes.ts";

// The codes used in the status annotation, the log, metric labels, admission warnings and the CLI. Every sentence that
// users read about a decision is here or in notes.ts.

/** The reasons why a whole pod was left unchanged. */
export const podReasons = {
  "unsupported-review": "The admission review is not admission.k8s.io/v1.",
  "not-a-pod": "The object is not a Pod.",
  "not-a-create": "arc-primer changes pods only when they are created.",
  "no-object": "The admission review contains no object.",
  "pod-too-large":
    "The pod is too large for arc-primer: it has more than 20,000 values or 1 MiB of text, not counting managedFields.",
  "malformed-pod":
    "The pod does not have the structure of a Kubernetes Pod, or a list in it has more than 1,000 items.",
  "not-a-runner":
    'The pod does not have the label that ARC sets on the runners of a scale set (actions-ephemeral-runner: "True").',
  "legacy-runner": "The pod belongs to ARC's legacy mode (actions.summerwind.dev), which arc-primer does not support.",
  "workflow-pod": "ARC's container hooks created the pod to run a job's container. The pod is not a runner.",
  windows: "The pod runs on Windows, where there is neither a POSIX shell nor Docker-in-Docker.",
  "opted-out": 'The pod opts out (annotation arc-primer.dev/skip: "true").',
  "profile-disabled": "The profile is disabled (enabled: false).",
  "internal-error": "arc-primer failed to process this pod. This is a bug; see the log for the error.",
} as const;

/** The reasons why a mutation left the pod unchanged. */
export const mutationReasons = {
  disabled: "The profile disables this mutation (enabled: false).",
  "not-configured": "The profile does not configure this mutation.",
  "already-there": "The pod already has everything that this mutation would set.",
  "no-runner-container": "The pod has no container with the runner's name (runner.container in the profile).",
  "no-command":
    "The runner container sets no command, and arc-primer does not guess one. Set runner.command in the profile.",
  "no-docker":
    "The pod has no Docker: neither a DinD container nor DOCKER_HOST. Set containerMode.type: dind in ARC's values, or docker.inject: true in the profile.",
  "kubernetes-mode": "In ARC's kubernetes modes, jobs run in separate pods, without Docker.",
  "docker-out-of-reach":
    "The pod has a DinD container that the runner container cannot reach: the runner container neither sets DOCKER_HOST nor mounts a volume for /var/run/docker.sock.",
  "docker-in-runner":
    "DOCKER_HOST refers to a Docker that only the runner container itself can start, and arc-primer's wait would run before the command that starts it.",
  "docker-on-node":
    "The runner container mounts the node's Docker socket, but neither the volume's type (Socket) nor DOCKER_HOST shows that the node has Docker. To make the runner wait, set one of them.",
  "wait-declined":
    "The runner container sets RUNNER_WAIT_FOR_DOCKER_IN_SECONDS to 0, so the runner does not wait for Docker.",
  "windows-docker": "DOCKER_HOST is a named pipe, which exists only on Windows.",
  "docker-elsewhere":
    "The runner container already has Docker: it sets DOCKER_HOST, or mounts a volume where the Docker socket would be.",
  "host-network":
    "The pod uses the node's network (hostNetwork), so dockerd would change the node's bridges and firewall rules.",
  "runner-privileged":
    "The runner container is privileged or runs under sysbox, so it can run its own dockerd. Two dockerd processes would conflict over the same files.",
  "externals-unknown":
    "The runner's directory is unknown, because the runner container's command does not contain the path of run.sh. DinD needs the externals (Node.js) from that directory.",
  "privilege-forbidden":
    "The namespace enforces Pod Security baseline or restricted, which would reject a pod with the privileged container that DinD needs.",
  "name-taken":
    "The pod already has a container or a volume with a name that this mutation needs, or its work directory is at a path that dockerd needs.",
  "work-subpath":
    "The runner container mounts its work directory with a subPathExpr, which cannot be copied to a DinD container.",
  "runner-pre-stop":
    "The runner container already has a preStop hook, which is kept. So arc-primer adds no hook that waits for a running job.",
  "no-image-mirror": "The profile has no mirror (images.mirrors) for the registries of the pod's images.",
  "no-proxy": "The runner container has no proxy variables (http_proxy, https_proxy): no proxy is set in ARC's values.",
  "no-dind": "The pod has no Docker-in-Docker container.",
  "shell-command":
    "dockerd is started by a shell string that contains more than dockerd and plain flags. arc-primer does not change such a string.",
  "unknown-command": "The DinD container's command starts something other than dockerd.",
  "unknown-entrypoint":
    "The DinD container sets neither command nor args, and its image is not docker:dind. Adding args would replace the arguments that the image defines (CMD).",
  "config-file": "dockerd is started with --config-file. It exits if a setting is in both that file and a flag.",
  "daemon-json":
    "The DinD container may have a daemon.json: a volume is mounted there, or a container writes one. dockerd exits if a setting is in both that file and a flag.",
  "pod-security":
    "The namespace enforces Pod Security restricted, which would reject a pod with a container that runs as root.",
  "read-only-root": "The runner container's root filesystem is read-only, so no files can be added to it.",
  "escalation-forbidden":
    "The runner container forbids privilege escalation (allowPrivilegeEscalation: false), so sudo cannot install packages.",
  "capabilities-dropped":
    "The runner container drops capabilities that root needs to install packages (such as CHOWN or DAC_OVERRIDE).",
  "mirror-not-a-flag":
    "dockerd's --registry-mirror does not support a path after /v2. Only the mutation registry-hosts can use such mirrors of Docker Hub.",
  "no-externals-copy": "No init container copies the runner's externals into a volume for Docker.",
  "externals-copy-unknown":
    "The init container that copies the runner's externals also does something else, or copies in a way that arc-primer does not recognize.",
  "externals-shared":
    "The volume for the runner's externals is not changed: it is not an emptyDir, another container uses it, or the DinD container mounts only a part of it.",
  "memory-limit":
    "A memory limit of the pod is below 1Gi, which is too low to keep the runner's externals (about 600 MB) in memory.",
  "data-root-unknown":
    "Docker's data directory is unknown: dockerd may read a configuration file, is not started by a plain command line, or its data-root contains a variable that only the kubelet can expand.",
  "data-root-rootless":
    "A rootless dockerd is not allowed to set the permissions of a volume at its data-root, and exits. Mount an emptyDir at the home directory of dockerd's user, as GitHub's template does, set docker.data.emptyDir, and do not set --data-root.",
  "docker-data-mounted":
    "The DinD container already mounts a volume at, in or above Docker's data directory. That volume is kept.",
  "docker-data-memory":
    "The memory limit of the DinD container or of the pod is below docker.data.emptyDir.sizeLimit, and data in memory counts against that limit.",
  "docker-too-old": "Mirrors of registries other than Docker Hub need Docker 28 or later in the DinD container.",
  "image-store":
    "Docker 28 uses mirrors of registries other than Docker Hub only with the containerd image store. Set docker.imageStore: containerd in the profile.",
  "graph-driver":
    "The DinD container selects one of dockerd's own storage drivers. Mirrors of registries other than Docker Hub need the containerd image store.",
  "docker-version-unknown":
    "The name of the DinD image does not show its version of Docker. If it is 28 or later with the containerd image store, set docker.imageStore: containerd in the profile.",
  "certs-d-mounted":
    "The DinD container already mounts files at dockerd's certs.d, or a volume above it. Only an emptyDir above it is accepted, if no other container uses it.",
  "rootless-too-old":
    "Rootless Docker before version 23 writes to ~/.config at startup, and fails if files are mounted there. Use a newer docker:dind-rootless.",
  "no-usable-mirror":
    "None of the mirrors can be used: BuildKit and Dagger do not support a path before /v2 in a mirror's URL, and $(HOST_IP) is not expanded in files.",
  "buildkit-file-mounted":
    "The runner container mounts a volume at, in or above buildx's directory. Only an emptyDir at or above it is accepted, if no other container uses it.",
  "buildkit-in-use":
    "The pod has its own BuildKit (BUILDKIT_HOST, or a container that runs buildkitd), and buildx rejects buildkitd.default.toml for it. Configure the mirrors in that BuildKit.",
  "docker-config-mounted":
    "The runner container mounts a volume at, in or above Docker's config directory, so logins could outlive the pod. Only an emptyDir at or above it is accepted, if no other container uses it.",
  "dagger-files-mounted":
    "The runner container or the DinD container mounts a volume at, in or above Dagger's directory. Only an emptyDir above it is accepted, if no other container uses it.",
  "path-unknown":
    "The directory for the files is unknown: a variable (HOME, XDG_CONFIG_HOME, DOCKER_CONFIG or BUILDX_CONFIG) has a value that only the kubelet can resolve.",
  "no-room-for-files": "The pod's annotations, which contain the files, would be larger than 256 KiB.",
  "mutation-failed": "This mutation threw an error and was discarded. This is a bug; see the log for the error.",
  "invariant-broken":
    "This mutation would have made the pod invalid and was discarded. This is a bug; see the log for details.",
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
