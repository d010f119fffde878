/** Additional information about a mutation or about the choice of the profile. */
export const notes = {
  "startup-probe-removed":
    "The DinD sidecar's startup probe was removed: the wait for Docker is faster, and nothing else relied on the probe.",
  "startup-probe-kept-by-setting":
    "The DinD sidecar keeps its startup probe, because docker.wait.keepStartupProbe is set.",
  "startup-probe-kept-for-init-container":
    "The DinD sidecar keeps its startup probe: an init container after the sidecar may rely on the probe.",
  "startup-probe-kept-for-container":
    "The DinD sidecar keeps its startup probe: another container that uses Docker may rely on the probe.",
  "startup-probe-kept-for-runner":
    "The DinD sidecar keeps its startup probe: the runner container has a postStart hook or probes, which do not wait for Docker.",
  "startup-probe-kept-for-liveness-probe":
    "The DinD sidecar keeps its startup probe: the liveness probe starts only after the startup probe has succeeded.",
  "startup-probe-kept-for-more":
    "The DinD sidecar keeps its startup probe: the probe does more than check that Docker is available.",
  "own-patience":
    "The pod sets a longer timeout than the profile (RUNNER_WAIT_FOR_DOCKER_IN_SECONDS, or the startup probe). The pod's timeout is used.",
  "mirrors-left-out":
    "Some mirrors were left out: BuildKit and Dagger do not support a path before /v2 in a mirror's URL, and $(HOST_IP) is not expanded in files.",
  "externals-unchecked":
    "The runner's externals are not checked before the runner starts, because the pod does not wait for Docker.",
  "docker-data-kept":
    "Docker's data is in a volume that may outlive the pod. If a Docker version before 29 has written data to it, mirrors of registries other than Docker Hub are not used.",
  "feature-flag-left-out":
    "The flag --feature=containerd-snapshotter=true could not be added to dockerd. Mirrors of registries other than Docker Hub work only if dockerd's configuration file enables this feature.",
  "certs-d-hidden":
    "The DinD image is not docker:dind. If the image has files in dockerd's certs.d, the mounted files hide them.",
  "certs-d-shared":
    "The DinD container already mounts files for single registries in dockerd's certs.d. They are kept. Registries with a port in their name were left out, because a mount path cannot contain a colon.",
  "system-store-mounted":
    "The runner container mounts a volume at /etc/ssl/certs or /usr/local/share/ca-certificates. The volume is not changed, so only Node.js trusts the certificates (NODE_EXTRA_CA_CERTS).",
  "system-store-read-only":
    "The runner container's root filesystem is read-only, so only Node.js trusts the certificates (NODE_EXTRA_CA_CERTS).",
  "custom-image":
    "The DinD image is not docker:dind. If the image contains a daemon.json with the same settings, dockerd will not start.",
  "flag-kept":
    "The pod already sets one of these dockerd flags, or a flag that conflicts with one of them. The pod's flag is kept.",
  "flags-left-out":
    "No flags were added to dockerd: it may read a configuration file, or flags cannot be added to its command line.",
  "image-kept": "The image of the DinD container is not the one that ARC sets (docker:dind), so it is kept.",
  "host-ip-taken":
    "The DinD container already uses the variable HOST_IP for something else. Mirrors at the node's address were left out.",
  "bundle-offered":
    "A package bundle is offered to the pod. If the runner image is not the one that the bundle was built on, apt installs the packages. The runner's log then says so.",
  "env-kept": "The container already sets one of these variables to another value. The pod's value is kept.",
  "resources-kept": "The container or the pod already has resources (its own, or from a LimitRange). They are kept.",
  "pre-stop-kept":
    "The DinD container already has a preStop hook, which is kept. That hook must keep dockerd running until the runner has stopped.",
  "unknown-profile": "The pod requests a profile that is not defined. The rule's profile is used instead.",
  "profile-not-allowed":
    "The pod requests a profile that the rules do not allow for it. The rule's profile is used instead.",
  "no-room-for-status": "The pod's annotations have reached their size limit, so arc-primer.dev/status was left out.",
} as const;
