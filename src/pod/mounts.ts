import { isSidecar, ownPrefix } from "./containers.ts";
import type { Container, Mount, Pod, Volume } from "./types.ts";

/** Where a volume is mounted, relative to a path. `above`: at a parent directory of the path. `below`: in the path. */
export type Position = "at" | "above" | "below" | "elsewhere";

/** A path without trailing slashes. Kubernetes accepts them in a `mountPath`. */
export function trimTrailingSlashes(path: string): string {
  return path.replace(/\/+$/, "");
}

/** The position of a mount relative to an absolute path without trailing slashes. */
export function positionOf({ mountPath }: Mount, path: string): Position {
  const mounted = trimTrailingSlashes(mountPath);
  if (mounted === path) return "at";
  if (path.startsWith(`${mounted}/`)) return "above";
  return mounted.startsWith(`${path}/`) ? "below" : "elsewhere";
}

/** The names of the volumes that contain a path in the container: those mounted at it or above it. */
export function volumesAt(container: Container, path: string): string[] {
  return (container.volumeMounts ?? [])
    .filter((mount) => ["at", "above"].includes(positionOf(mount, path)))
    .map(({ name }) => name);
}

/**
 * Whether a volume from the pod template prevents a mount at a directory, because it is mounted at, in or above that
 * directory. The new mount would hide its files, or the kubelet could not create the directory in it. An emptyDir above
 * the directory is fine if only this container mounts it. Volumes that arc-primer added are ignored.
 */
export function preventsMount(pod: Pod, container: Container, folder: string): boolean {
  const others = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const isPrivate = isPrivateTo(container, pod, others, folder);
  return ownMounts(container).some((mount) => {
    const position = positionOf(mount, folder);
    return position === "above" ? !isPrivate(mount) : position !== "elsewhere";
  });
}

/**
 * Whether a volume from the pod template prevents copying files to a directory. An emptyDir at the directory or above it
 * is fine if no other running container mounts it there, because it is deleted with the pod. A volume
 * in the directory is not.
 */
export function preventsCopy(pod: Pod, container: Container, folder: string): boolean {
  const running = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  const isPrivate = isPrivateTo(container, pod, running, folder);
  return ownMounts(container).some((mount) => {
    const position = positionOf(mount, folder);
    return position === "below" || (position !== "elsewhere" && !isPrivate(mount));
  });
}

/** Returns a test for mounts of a writable emptyDir that none of the other containers mounts at or above the directory. */
function isPrivateTo({ name: own }: Container, pod: Pod, others: readonly Container[], folder: string) {
  const emptyDirs = emptyDirsOf(pod);
  return ({ name, readOnly, subPath }: Mount) =>
    emptyDirs.has(name) &&
    !readOnly &&
    !subPath &&
    !others.some((other) => other.name !== own && volumesAt(other, folder).includes(name));
}

function ownMounts({ volumeMounts }: Container): Mount[] {
  return (volumeMounts ?? []).filter(({ name }) => !name.startsWith(ownPrefix));
}

/** Whether a directory is in a read-only root filesystem. */
export function isInReadOnlyRoot(container: Container, folder: string): boolean {
  return container.securityContext?.readOnlyRootFilesystem === true && volumesAt(container, folder).length === 0;
}

/** The container without its own mounts below a directory. Returns the same object if there are none. */
export function withoutMountsIn(container: Container, folder: string): Container {
  const mounts = container.volumeMounts ?? [];
  const others = mounts.filter((mount) => mount.name.startsWith(ownPrefix) || positionOf(mount, folder) !== "below");
  return others.length === mounts.length ? container : { ...container, volumeMounts: others };
}

/** The names of the pod's emptyDir volumes. */
export function emptyDirsOf({ spec }: Pod): ReadonlySet<string> {
  return new Set((spec.volumes ?? []).filter(({ emptyDir }) => emptyDir).map(({ name }) => name));
}

/** Adds a volume, unless the pod has one with that name. */
export function ensureVolume({ spec }: Pod, volume: Volume): void {
  if (!spec.volumes?.some(({ name }) => name === volume.name)) (spec.volumes ??= []).push(volume);
}

/** Adds a mount, unless the container mounts that volume at that path. */
export function ensureMount(container: Container, mount: Mount): void {
  const exists = container.volumeMounts?.some(
    ({ name, mountPath }) => name === mount.name && mountPath === mount.mountPath,
  );
  if (!exists) (container.volumeMounts ??= []).push(mount);
}
