/** The texts about a mutation for users. */
export interface MutationText {
  /** What the mutation does, in one sentence. */
  readonly does: string;
  /** The path of the profile's setting that enables the mutation. */
  readonly setting: string;
  /** The path of the setting that disables the mutation, if it is a different one. */
  readonly switch?: string;
}

/** The texts by mutation name. A test checks that every mutation has one, and that the settings exist in the schema. */
export const mutationTexts: Readonly<Record<string, MutationText>> = {
  "inject-docker": {
    does: "The pod gets a privileged DinD container.",
    setting: "docker.inject",
  },
  "graceful-end": {
    does: "When the pod is deleted, dockerd keeps running until the runner has cleaned up, and the pod has a longer grace period.",
    setting: "docker.gracefulEnd.gracePeriod",
    switch: "docker.gracefulEnd.enabled",
  },
  "finish-job": {
    does: "When the pod is deleted or evicted, a running job can finish. An idle runner stops at once.",
    setting: "runner.finishJob.gracePeriod",
    switch: "runner.finishJob.enabled",
  },
  "wait-for-docker": {
    does: "The runner starts as soon as Docker is available, and not before.",
    setting: "docker.wait.enabled",
  },
  "externals-volume": {
    does: "Docker gets the runner's externals from a volume, without a copy on the node's disk.",
    setting: "docker.externals",
  },
  "docker-proxy": {
    does: "dockerd uses ARC's proxy, except for the mirrors.",
    setting: "docker.proxy.enabled",
  },
  "docker-credentials": {
    does: "Jobs are logged in to registries when they start.",
    setting: "docker.credentials.secret",
    switch: "docker.credentials.enabled",
  },
  "registry-mirror": {
    does: "dockerd gets the mirrors of Docker Hub and the insecure registries as flags.",
    setting: "registries",
    switch: "docker.mirror.enabled",
  },
  "dockerd-settings": {
    does: "The DinD container gets the dockerd flags, variables, image and resources of the profile.",
    setting: "docker.daemon",
    switch: "docker.daemon.enabled",
  },
  "docker-data": {
    does: "Docker's data is in a separate volume.",
    setting: "docker.data",
    switch: "docker.data.enabled",
  },
  "registry-hosts": {
    does: "dockerd gets the mirrors and certificates of registries as files (hosts.toml).",
    setting: "registries",
    switch: "docker.hosts.enabled",
  },
  "buildkit-mirrors": {
    does: "The builders that buildx creates use the mirrors.",
    setting: "registries",
    switch: "buildkit.enabled",
  },
  "dagger-mirrors": {
    does: "Dagger's engine uses the mirrors.",
    setting: "registries",
    switch: "dagger.enabled",
  },
  "private-ca": {
    does: "The runner container trusts the private CA certificates.",
    setting: "privateCA.runner",
  },
  prerequisites: {
    does: "The profile's packages are installed and its script runs before the runner starts.",
    setting: "prerequisites.packages",
    switch: "prerequisites.enabled",
  },
  "image-mirror": {
    does: "The kubelet pulls the pod's images from the mirrors.",
    setting: "images.mirrors",
    switch: "images.enabled",
  },
};
