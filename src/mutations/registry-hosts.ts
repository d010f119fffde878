import type { Profile } from "../config/schema.ts";
import { blocksDockerd, certsFolder } from "../docker/certs-d.ts";
import { findDinds, isDindImage } from "../docker/dind.ts";
import { addFlags, dockerdFlags } from "../docker/dockerd.ts";
import { containerdFeature, hostsTomlSupport, mayHaveEarlierDockerData } from "../docker/image-store.ts";
import type { Mutation, Verdict } from "../engine/mutation.ts";
import { applies, doesNotApply, combineVerdicts } from "../engine/mutation.ts";
import { ownPrefix } from "../pod/containers.ts";
import { mountFiles, provideFiles } from "../pod/files.ts";
import type { PodFile } from "../pod/files.ts";
import { ensureMount, preventsMount, withoutMountsIn } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { dockerdFiles } from "../registries/files.ts";
import type { DockerdFiles } from "../registries/files.ts";
import type { Remark } from "../report/decision.ts";
import type { MutationReason } from "../report/reasons.ts";

const volume = "registry-hosts";

/**
 * Configures mirrors of any registry, and private certificates for the registries that need them, in the dockerd of the
 * DinD container (and so for `docker build`). For this it mounts files in dockerd's certs.d: `HOST/hosts.toml` and
 * `HOST/ca.crt`. Every dockerd reads ca.crt; src/docker/image-store.ts determines which ones read hosts.toml.
 *
 * The mount hides files that a custom image has in certs.d. One mount per host would not hide them, but a mountPath must
 * not contain `:` (API reference, VolumeMount), so that is not possible for HOST:PORT.
 */
export const registryHosts: Mutation = {
  name: "registry-hosts",
  configure(profile) {
    const { docker } = profile;
    if (!docker.hosts.enabled) return "disabled";
    const files = dockerdFiles(profile);
    const { hosts, certificates, leftOut } = files;
    if (hosts.length + certificates.length === 0) return leftOut ? "no-usable-mirror" : "not-configured";

    return (pod) => {
      const [first, ...more] = findDinds(pod, profile).map(({ container }) => planFor(pod, container, files, docker));
      if (!first) return doesNotApply("no-dind");
      const plans = [first, ...more].filter((plan) => "folder" in plan);
      const provided = plans.some(({ hasMirrors }) => hasMirrors) ? [...hosts, ...certificates] : certificates;
      if (plans.length > 0 && !provideFiles(pod, volume, provided)) return doesNotApply("no-room-for-files");
      const mountPlan = (plan: Plan | Unsuitable) =>
        "folder" in plan ? mountAt(pod, plan, provided) : doesNotApply(plan.reason);
      return combineVerdicts([mountPlan(first), ...more.map(mountPlan)]);
    };
  },
};

/** The files for one dockerd and where to mount them. */
interface Plan {
  readonly dind: Container;
  readonly folder: string;
  /** Whether this dockerd reads mirrors from these files. */
  readonly hasMirrors: boolean;
  readonly notes: readonly Remark[];
}
/** The reason why a dockerd gets no files. */
interface Unsuitable {
  readonly reason: MutationReason;
}

function planFor(
  pod: Pod,
  dind: Container,
  { hosts, certificates, leftOut }: DockerdFiles,
  { imageStore }: Profile["docker"],
): Plan | Unsuitable {
  const { flags, obstacle } = dockerdFlags(dind, pod);
  const support = hostsTomlSupport(dind, flags, imageStore);
  const unsupported = support === "supported" || support === "with-feature-flag" ? undefined : support;
  if (unsupported && certificates.length === 0) return { reason: unsupported };
  const folder = certsFolder(dind);
  if (folder === undefined) return { reason: "path-unknown" };
  if (blocksDockerd(dind, folder)) return { reason: "rootless-too-old" };
  if (preventsMount(pod, withoutMountsIn(dind, folder), folder)) return { reason: "certs-d-mounted" };

  const hasMirrors = hosts.length > 0 && !unsupported;
  const notes: Remark[] = unsupported && hosts.length > 0 ? [unsupported] : [];
  if (leftOut) notes.push("mirrors-left-out");
  if (!isDindImage(dind.image)) notes.push("certs-d-hidden");
  if (hasMirrors && imageStore === "auto" && support === "supported" && mayHaveEarlierDockerData(pod, dind))
    notes.push("docker-data-kept");
  if (hasMirrors && support === "with-feature-flag") {
    // If flags cannot be added, a configuration file such as daemon.json may enable the feature: the profile says that this
    // image store is used.
    if (obstacle) notes.push("feature-flag-left-out");
    else addFlags(dind, [`--feature=${containerdFeature}=true`]);
  }
  return { dind, folder, hasMirrors, notes };
}

/**
 * Mounts the files at certs.d. If the pod already has mounts for single registries in it, every other registry gets its own
 * mount instead, because the kubelet could not create the pod's mount points in a read-only volume.
 */
function mountAt(pod: Pod, { dind, folder, notes }: Plan, files: readonly PodFile[]): Verdict {
  const isMountedWhole = dind.volumeMounts?.some(
    (mount) => mount.name === ownPrefix + volume && mount.mountPath === folder,
  );
  if (isMountedWhole || withoutMountsIn(dind, folder) === dind) {
    mountFiles(dind, volume, folder);
    return applies(...notes);
  }
  const registries = [...new Set(files.map(({ path }) => path.split("/")[0]!))].filter(
    (registry) => !registry.includes(":") && !preventsMount(pod, dind, `${folder}/${registry}`),
  );
  if (registries.length === 0) return doesNotApply("certs-d-mounted");
  for (const registry of registries) {
    const mountPath = `${folder}/${registry}`;
    ensureMount(dind, { name: ownPrefix + volume, mountPath, subPath: registry, readOnly: true });
  }
  return applies(...notes, "certs-d-shared");
}
