import type { Profile } from "../config/schema.ts";
import { dataRoot } from "../docker/data-root.ts";
import { findDinds } from "../docker/dind.ts";
import { applies, doesNotApply, combineVerdicts } from "../engine/mutation.ts";
import type { Mutation, Verdict } from "../engine/mutation.ts";
import { ensureMount, ensureVolume, preventsMount } from "../pod/mounts.ts";
import { quantityValue } from "../pod/quantity.ts";
import type { Container, Pod, Volume } from "../pod/types.ts";

type Data = Profile["docker"]["data"];

const name = "arc-primer-docker-data";

/**
 * Puts Docker's data on a volume: an emptyDir with a size limit or in memory, or a generic ephemeral volume. Without this,
 * the data is in the volume that the image declares: the container runtime decides where that is, and it has no size limit.
 *
 * Each DinD container gets its own volume, because two dockerds would corrupt each other's data. If the pod already mounts
 * a volume there, that volume is kept.
 */
export const dockerData: Mutation = {
  name: "docker-data",
  configure(profile) {
    const { data } = profile.docker;
    if (!data.enabled) return "disabled";
    const source = volumeSource(data);
    if (!source) return "not-configured";

    return (pod) => {
      const addVolume = ({ container }: { container: Container }, index: number): Verdict => {
        const found = dataRoot(pod, container);
        if (typeof found === "string") return doesNotApply(found);
        const { mountPath, rootless } = found;
        // The root directory of a new filesystem belongs to root, and only root can create directories in it. The root
        // directory of an emptyDir is writable for everyone.
        if (rootless && source.ephemeral) return doesNotApply("data-root-rootless");
        if (preventsMount(pod, container, mountPath)) return doesNotApply("docker-data-mounted");
        if (source.emptyDir?.medium === "Memory" && hasLowerMemoryLimit(pod, container, source.emptyDir.sizeLimit))
          return doesNotApply("docker-data-memory");
        const volume = { name: index === 0 ? name : `${name}-${index + 1}`, ...source };
        ensureVolume(pod, volume);
        ensureMount(container, { name: volume.name, mountPath });
        return applies();
      };
      const [first, ...more] = findDinds(pod, profile).map(addVolume);
      return first ? combineVerdicts([first, ...more]) : doesNotApply("no-dind");
    };
  },
};

function volumeSource({ emptyDir, ephemeral }: Data): Omit<Volume, "name"> | undefined {
  if (emptyDir) {
    const { sizeLimit, medium } = emptyDir;
    return { emptyDir: { ...(medium && { medium }), ...(sizeLimit !== undefined && { sizeLimit }) } };
  }
  if (!ephemeral) return undefined;
  const { storageClassName, size } = ephemeral;
  const spec = {
    accessModes: ["ReadWriteOnce"],
    ...(storageClassName !== undefined && { storageClassName }),
    resources: { requests: { storage: size } },
  };
  return { ephemeral: { volumeClaimTemplate: { spec } } };
}

/** Whether the memory limit of the container or the pod is lower than the size limit of a volume in memory. */
function hasLowerMemoryLimit({ spec }: Pod, { resources }: Container, sizeLimit: string | undefined): boolean {
  const wanted = quantityValue(sizeLimit ?? "") ?? 0;
  return [resources?.limits?.["memory"], spec.resources?.limits?.["memory"]].some(
    (limit) => limit !== undefined && Number(quantityValue(String(limit))) < wanted,
  );
}
