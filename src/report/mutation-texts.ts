/** What users read about a mutation. */
export interface MutationText {
  /** What it does, as a sentence. */
  readonly does: string;
  /** The setting of a profile that asks for it; its path. */
  readonly setting: string;
  /** The setting that switches it off, where that is another one. */
  readonly switch?: string;
}

/** By the mutations' names. A test checks that each has one, and that the settings are in the schema. */
export const mutationTexts: Readonly<Record<string, MutationText>> = {
  "inject-docker": {
    does: "The pod gets a DinD container of its own, which is privileged.",
    setting: "docker.inject",
  },
  "graceful-end": {
    does: "When the pod is deleted, Docker stays until the runner has cleaned up, and the pod gets more time for that.",
    setting: "docker.gracefulEnd.gracePeriod",
    switch: "docker.gracefulEnd.enabled",
  },
  "finish-job": {
    does: "When the pod is deleted or evicted, a running job may finish; an idle runner ends at once.",
    setting: "runner.finishJob.gracePeriod",
    switch: "runner.finishJob.enabled",
  },
  "wait-for-docker": {
    does: "The runner starts as soon as Docker answers, and not before.",
    setting: "docker.wait.enabled",
  },
  "externals-volume": {
    does: "Docker gets the runner's externals from a volume, without a copy on the node's disk.",
    setting: "docker.externals",
  },
  "docker-proxy": {
    does: "dockerd uses ARC's proxy, and reaches the mirrors without it.",
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
    does: "dockerd gets the flags, the variables, the image and the resources of the profile.",
    setting: "docker.daemon",
    switch: "docker.daemon.enabled",
  },
  "docker-data": {
    does: "Docker's data is in a volume of its own, with a size limit.",
    setting: "docker.data",
    switch: "docker.data.enabled",
  },
  "registry-hosts": {
    does: "dockerd gets the mirrors and certificates of registries as files (hosts.toml).",
    setting: "registries",
    switch: "docker.hosts.enabled",
  },
  "buildkit-mirrors": {
    does: "The builders of buildx use the mirrors.",
    setting: "registries",
    switch: "buildkit.enabled",
  },
  "dagger-mirrors": {
    does: "Dagger's engine uses the mirrors.",
    setting: "registries",
    switch: "dagger.enabled",
  },
  "private-ca": {
    does: "The runner and its jobs trust the private certificates.",
    setting: "privateCA.runner",
  },
  prerequisites: {
    does: "The profile's packages and script are put into the runner container before the runner starts.",
    setting: "prerequisites.packages",
    switch: "prerequisites.enabled",
  },
  "image-mirror": {
    does: "The kubelet pulls the images of the pod from the mirror.",
    setting: "images.mirrors",
    switch: "images.enabled",
  },
};
