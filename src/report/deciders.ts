import type { Code } from "./reasons.ts";

/** The setting that decides about a code, and where users find it. */
export interface Decider {
  /**
   * - `mutation`: the setting of the mutation with this reason (mutation-texts.ts)
   * - `profile`: a setting of the profile; `name` is its path
   * - `pod`: a part of the pod, which comes from the scale set's template
   * - `namespace`: a label of the namespace
   * - `configuration`: a setting outside the profiles
   * - `registration`: a field of the MutatingWebhookConfiguration
   * - `bug`: no setting
   */
  readonly where: "mutation" | "profile" | "pod" | "namespace" | "configuration" | "registration" | "bug";
  readonly name: string;
}

const profile = (name: string): Decider => ({ where: "profile", name });
const pod = (name: string): Decider => ({ where: "pod", name });
const runner = (name: string) => pod(`${name} of the runner container`);
const dind = (name: string) => pod(`${name} of the DinD container`);
const registration = (name: string): Decider => ({ where: "registration", name });
const ofMutation: Decider = { where: "mutation", name: "the mutation's own setting" };
const podSecurity: Decider = { where: "namespace", name: "pod-security.kubernetes.io/enforce" };
const bug: Decider = { where: "bug", name: "none" };

const dockerHost = runner("env DOCKER_HOST");
const runnerMounts = runner("volumeMounts");
const dindMounts = dind("volumeMounts");
const dindCommand = dind("command and args");

/** For each reason, the setting that decides. For each note, the setting to change if the note is not wanted. */
export const deciders: Readonly<Record<Code, Decider>> = {
  "unsupported-review": registration("admissionReviewVersions"),
  "not-a-pod": registration("rules"),
  "not-a-create": registration("rules"),
  "no-object": registration("rules"),
  "pod-too-large": pod("metadata and spec"),
  "malformed-pod": pod("the named field"),
  "not-a-runner": pod("label actions-ephemeral-runner"),
  "legacy-runner": pod("label actions-runner"),
  "workflow-pod": pod("label runner-pod"),
  windows: pod("nodeSelector kubernetes.io/os"),
  "opted-out": pod("annotation arc-primer.dev/skip"),
  "profile-disabled": profile("enabled"),
  "internal-error": bug,

  disabled: ofMutation,
  "not-configured": ofMutation,
  "already-there": ofMutation,
  "no-runner-container": profile("runner.container"),
  "no-command": profile("runner.command"),
  "no-docker": profile("docker.inject"),
  "kubernetes-mode": runner("env ACTIONS_RUNNER_CONTAINER_HOOKS"),
  "docker-out-of-reach": dockerHost,
  "docker-in-runner": dockerHost,
  "docker-on-node": pod("type of the hostPath volume"),
  "wait-declined": runner("env RUNNER_WAIT_FOR_DOCKER_IN_SECONDS"),
  "windows-docker": dockerHost,
  "docker-elsewhere": dockerHost,
  "host-network": pod("hostNetwork"),
  "runner-privileged": runner("securityContext.privileged, or runtimeClassName"),
  "externals-unknown": runner("command"),
  "privilege-forbidden": podSecurity,
  "name-taken": pod("names of containers and volumes"),
  "work-subpath": runner("volumeMounts, subPathExpr"),
  "runner-pre-stop": runner("lifecycle.preStop"),
  "no-image-mirror": profile("images.mirrors"),
  "no-proxy": runner("env http_proxy and https_proxy"),
  "no-dind": profile("docker.inject"),
  "shell-command": dindCommand,
  "unknown-command": dindCommand,
  "unknown-entrypoint": dindCommand,
  "config-file": dindCommand,
  "daemon-json": dindMounts,
  "pod-security": podSecurity,
  "read-only-root": runner("securityContext.readOnlyRootFilesystem"),
  "escalation-forbidden": runner("securityContext.allowPrivilegeEscalation"),
  "capabilities-dropped": runner("securityContext.capabilities.drop"),
  "mirror-not-a-flag": profile("registries"),
  "no-externals-copy": pod("initContainers"),
  "externals-copy-unknown": pod("initContainers"),
  "externals-shared": pod("volumes"),
  "memory-limit": pod("resources.limits.memory"),
  "data-root-unknown": dindCommand,
  "data-root-rootless": profile("docker.data"),
  "docker-data-mounted": dindMounts,
  "docker-data-memory": profile("docker.data.emptyDir.sizeLimit"),
  "docker-too-old": dind("image"),
  "image-store": profile("docker.imageStore"),
  "graph-driver": dindCommand,
  "docker-version-unknown": profile("docker.imageStore"),
  "certs-d-mounted": dindMounts,
  "rootless-too-old": dind("image"),
  "no-usable-mirror": profile("registries"),
  "buildkit-file-mounted": runnerMounts,
  "buildkit-in-use": runner("env BUILDKIT_HOST"),
  "docker-config-mounted": runnerMounts,
  "dagger-files-mounted": runnerMounts,
  "path-unknown": profile("runner.home"),
  "no-room-for-files": pod("annotations"),
  "mutation-failed": bug,
  "invariant-broken": bug,

  "startup-probe-removed": profile("docker.wait.keepStartupProbe"),
  "startup-probe-kept-by-setting": profile("docker.wait.keepStartupProbe"),
  "startup-probe-kept-for-init-container": pod("initContainers"),
  "startup-probe-kept-for-container": pod("containers"),
  "startup-probe-kept-for-runner": runner("lifecycle.postStart and probes"),
  "startup-probe-kept-for-liveness-probe": dind("livenessProbe"),
  "startup-probe-kept-for-more": dind("startupProbe"),
  "own-patience": runner("env RUNNER_WAIT_FOR_DOCKER_IN_SECONDS"),
  "mirrors-left-out": profile("registries"),
  "externals-unchecked": profile("docker.wait.enabled"),
  "docker-data-kept": pod("volumes"),
  "feature-flag-left-out": dindCommand,
  "certs-d-hidden": dind("image"),
  "certs-d-shared": dindMounts,
  "system-store-mounted": runnerMounts,
  "system-store-read-only": runner("securityContext.readOnlyRootFilesystem"),
  "custom-image": dind("image"),
  "flag-kept": dindCommand,
  "flags-left-out": dindCommand,
  "image-kept": dind("image"),
  "host-ip-taken": dind("env HOST_IP"),
  "env-kept": pod("env of the container"),
  "resources-kept": dind("resources"),
  "pre-stop-kept": dind("lifecycle.preStop"),
  "unknown-profile": pod("annotation arc-primer.dev/profile"),
  "profile-not-allowed": { where: "configuration", name: "rules[].allowedProfiles" },
  "bundle-offered": { where: "configuration", name: "packageBundles of the chart's values" },
  "no-room-for-status": pod("annotations"),
};
