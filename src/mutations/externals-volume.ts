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

/** Where the runner container sees the externals, for the wait to check. */
const checked = "/arc-primer/externals";

/** The externals take about 600 MB (actions-runner 2.336: 595 MB); the rest of a limit is for what writes them. */
const leastMemory = 2 ** 30;

/**
 * Provides the runner's externals (the Node that actions run on) to Docker without the copy that takes most of a pod's
 * start: Docker mounts the very image that the init container copied from, as an image volume; or the copy is made in
 * memory.
 *
 * Image volumes need API server, kubelet and runtime to support them. An API server without the feature drops the volume
 * and its mounts after all webhooks have run, without an error (tried with Kubernetes 1.34). So the administrator chooses,
 * and the wait for Docker checks that the externals are there. If the image lacks the folder, containerd 2.4 does not
 * create the container (tried with Kubernetes 1.37).
 */
export const externalsVolume: Mutation = {
  name: "externals-volume",
  may: ["remove-init-containers"],
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

/** Whether an earlier pass, or the pod's author, mounts externals from an image. */
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
  // The API server's default for a volume is the same as for a container, whose policy the pod may have changed.
  replaceVolume(pod, { name: volume, image: { reference, ...(imagePullPolicy && { pullPolicy: imagePullPolicy }) } });
  dind.volumeMounts = (dind.volumeMounts ?? []).map((mount) =>
    mount.name === volume ? { ...mount, subPath: folder, readOnly: true } : mount,
  );
  if (!runner || !appendArgs(runner, waitName, [[`externals=${checked}`]])) return applies("externals-unchecked");
  ensureMount(runner, { name: volume, mountPath: checked, subPath: folder, readOnly: true });
  return applies();
}

function copyInMemory(pod: Pod, { container, volume }: ExternalsCopy): Verdict {
  const limits = [memoryLimit(container), pod.spec.resources?.limits?.["memory"], podLimit(pod, container)];
  if (limits.some((limit) => limit !== undefined && Number(quantityValue(String(limit))) < leastMemory))
    return doesNotApply("memory-limit");
  const present = pod.spec.volumes?.find(({ name }) => name === volume);
  if (present?.emptyDir?.medium === "Memory") return applies();
  replaceVolume(pod, { name: volume, emptyDir: { ...present?.emptyDir, medium: "Memory" } });
  return applies();
}

/** What the containers that run together may take, in bytes; undefined if one of them has no limit: then the pod has none. */
function podLimit({ spec }: Pod, copier: Container): number | undefined {
  const together = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const limits = [...together, copier].map((one) => quantityValue(String(memoryLimit(one) ?? "")));
  if (limits.some((limit) => limit === undefined)) return undefined;
  return limits.slice(0, -1).reduce<number>((sum, limit) => sum + (limit ?? 0), 0);
}

function memoryLimit({ resources }: Container): string | undefined {
  return resources?.limits?.["memory"];
}

function replaceVolume({ spec }: Pod, volume: Volume): void {
  spec.volumes = (spec.volumes ?? []).map((one) => (one.name === volume.name ? volume : one));
}
