import { envEntry } from "../pod/env.ts";
import { volumesAt } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { parseImage } from "./dind.ts";
import { flagValues } from "./dockerd.ts";

/** dockerd's feature flag for the containerd image store, which Docker 29 uses without it. */
export const containerdFeature = "containerd-snapshotter";

/** Whether a dockerd honours hosts.toml: it does, it would with the feature flag, or why it does not. */
export type HostsTomlSupport =
  "supported" | "with-feature-flag" | "docker-too-old" | "image-store" | "graph-driver" | "docker-version-unknown";

/**
 * Whether the dockerd in a container reads `certs.d/HOST/hosts.toml`: from Docker 28 on, with the containerd image store
 * (moby, daemon/hosts.go), which is the default of 29 (daemon/image_store_choice.go). Told from the image's tag; the
 * tags without a number (`dind`, `latest`) are those of the newest Docker, 29 or later.
 *
 * @param flags the flags that dockerd is started with
 * @param imageStore `containerd`: the administrator says that it is used, or is to be, where the tag alone does not tell
 */
export function hostsTomlSupport(
  container: Container,
  flags: readonly string[],
  imageStore: "auto" | "containerd",
): HostsTomlSupport {
  const version = dockerVersion(container.image ?? "");
  if (version !== undefined && version < 28) return "docker-too-old";
  const feature = flagValues(flags, "--feature").findLast((value) => value.split("=")[0] === containerdFeature);
  if (feature !== undefined) return /=(false|0|f)$/i.test(feature) ? "graph-driver" : "supported";
  if (imageStore === "containerd") return version === 28 ? "with-feature-flag" : "supported";
  if (version === undefined) return "docker-version-unknown";
  const driver = flagValues(flags, "--storage-driver").length + flagValues(flags, "-s").length;
  if (driver > 0 || envEntry(container, "DOCKER_DRIVER")) return "graph-driver";
  return version === 28 ? "image-store" : "supported";
}

/**
 * Whether Docker's data may come from an older pod: then it stays with the image store it was made with, whatever the
 * version (moby, daemon/image_store_choice.go). An emptyDir is new in each pod.
 */
export function mayKeepDockerData({ spec }: Pod, container: Container): boolean {
  const names = volumesAt(container, "/var/lib/docker");
  return (spec.volumes ?? []).some((volume) => names.includes(volume.name) && !volume.emptyDir && !volume.ephemeral);
}

/** The major version of Docker in an image of Docker's own; undefined where the name does not tell. */
export function dockerVersion(image: string): number | undefined {
  const { repository, tag } = parseImage(image);
  if (repository.split("/").at(-1) !== "docker") return undefined;
  const number = /^v?(\d+)(?=[.-]|$)/.exec(tag)?.[1];
  if (number !== undefined) return Number(number);
  // A digest may pin a floating tag to any age.
  return image.includes("@") ? undefined : 29;
}
