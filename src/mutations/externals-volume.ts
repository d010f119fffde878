import { findDind } from "../docker/dind.ts";
import { findExternalsCopy } from "../docker/externals.ts";
import type { ExternalsCopy } from "../docker/externals.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation, Verdict } from "../engine/mutation.ts";
import { findContainer, isSidecar } from "../pod/containers.ts";
import { ensureMount } from "../pod/mounts.ts";
import { quantityValue } from "../pod/quantity.ts";
import type { Container, Pod, Volume } from "../pod/types.ts";
import { appendArgs } from "../pod/wrap.ts";
import { waitName } from "./wait-for-docker.ts";

/** The path in the runner container at which the wait checks the externals. */
const checkedPath = "/arc-primer/externals";

/** The externals take about 600 MB (actions-runner 2.336: 595 MB). The rest of the limit is for the copying process. */
const minMemory = 2 ** 30;

/**
 * Provides the runner's externals (the Node.js versions that actions run on) to Docker without the slow copy, which takes
 * most of a pod's startup time. Either the image from which the init container copies is mounted as an image volume, or
 * the init container copies to a volume in memory.
 *
 * Image volumes must be supported by the API server, the kubelet and the container runtime. An API server without the
 * feature drops the volume and its mounts after all webhooks have run, without an error (tested with Kubernetes 1.34). So
 * this is opt-in, and the wait for Docker checks that the externals exist. If the image lacks the directory, containerd
 * 2.4 does not create the container (tested with Kubernetes 1.37).
 */
export const externalsVolume: Mutation = {
  name: "externals-volume",
  permissions: ["remove-init-containers"],
  configure(profile) {
    const { externals } = profile.docker;
    if (externals === "copy") return "not-configured";

    return (pod) => {
      const dind = findDind(pod, profile)?.container;
      if (!dind) return doesNotApply("no-dind");
      if (isMounted(pod, dind)) return applies();
      const copy = findExternalsCopy(pod, dind);
      if (typeof copy === "string") return doesNotApply(copy);
      if (externals === "memory") return copyInMemory(pod, copy);
      return mountImage(pod, copy, dind, findContainer(pod, profile.runner.container));
    };
  },
};

/** Whether externals are already mounted from an image, by an earlier pass or by the pod template. */
function isMounted({ spec }: Pod, dind: Container): boolean {
  const images = (spec.volumes ?? []).filter(({ image }) => image).map(({ name }) => name);
  const mounts = dind.volumeMounts?.filter(({ name }) => images.includes(name)) ?? [];
  return mounts.some(({ mountPath, subPath }) => `${mountPath} ${subPath}`.includes("externals"));
}

function mountImage(pod: Pod, copy: ExternalsCopy, dind: Container, runner: Container | undefined): Verdict {
  const { container, folder, volume } = copy;
  const { image: reference, imagePullPolicy } = container;
  if (!reference) return doesNotApply("externals-copy-unknown");
  const { spec } = pod;
  spec.initContainers = (spec.initContainers ?? []).filter((one) => one !== container);
  // Keep the container's pull policy, if it sets one. Otherwise the API server's default is the same for both.
  replaceVolume(pod, { name: volume, image: { reference, ...(imagePullPolicy && { pullPolicy: imagePullPolicy }) } });
  dind.volumeMounts = (dind.volumeMounts ?? []).map((mount) =>
    mount.name === volume ? { ...mount, subPath: folder, readOnly: true } : mount,
  );
  if (!runner || !appendArgs(runner, waitName, [[`externals=${checkedPath}`]])) return applies("externals-unchecked");
  ensureMount(runner, { name: volume, mountPath: checkedPath, subPath: folder, readOnly: true });
  return applies();
}

function copyInMemory(pod: Pod, { container, volume }: ExternalsCopy): Verdict {
  const limits = [memoryLimit(container), pod.spec.resources?.limits?.["memory"], podLimit(pod, container)];
  if (limits.some((limit) => limit !== undefined && Number(quantityValue(String(limit))) < minMemory))
    return doesNotApply("memory-limit");
  const present = pod.spec.volumes?.find(({ name }) => name === volume);
  if (present?.emptyDir?.medium === "Memory") return applies();
  replaceVolume(pod, { name: volume, emptyDir: { ...present?.emptyDir, medium: "Memory" } });
  return applies();
}

/**
 * The memory limit of the whole pod, in bytes: the sum of the limits of all containers that run at the same time. Undefined
 * if one of them, or the copying init container, has no limit.
 */
function podLimit({ spec }: Pod, copier: Container): number | undefined {
  const concurrent = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const limits = [...concurrent, copier].map((one) => quantityValue(String(memoryLimit(one) ?? "")));
  if (limits.some((limit) => limit === undefined)) return undefined;
  return limits.slice(0, -1).reduce<number>((sum, limit) => sum + (limit ?? 0), 0);
}

function memoryLimit({ resources }: Container): string | undefined {
  return resources?.limits?.["memory"];
}

function replaceVolume({ spec }: Pod, volume: Volume): void {
  spec.volumes = (spec.volumes ?? []).map((one) => (one.name === volume.name ? volume : one));
}
