/** Additional information about a mutation or about the choice of the profile. */
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
  "externals-unchecked":
    "Nothing checks that the runner's externals are there before the runner starts: the pod does not wait for Docker.",
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
  "bundle-offered":
    "A bundle of the packages is offered to the pod. If its image is not what the bundle was made on, apt installs them; the runner's log says so.",
  "env-kept": "The container sets one of these variables already; the pod's own value stays.",
  "resources-kept": "The container or the pod has resources already (its own, or a LimitRange's); they stay.",
  "pre-stop-kept":
    "The DinD container has a preStop hook of its own; it stays, and is what keeps dockerd until the runner has ended.",
  "unknown-profile": "The pod asks for a profile that is not defined; the rule's own is used.",
  "profile-not-allowed": "The pod asks for a profile that the rules do not allow it; the rule's own is used.",
  "no-room-for-status": "The pod's annotations are full; arc-primer.dev/status was left out.",
} as const;
