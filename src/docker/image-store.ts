import { envEntry } from "../pod/env.ts";
import { volumesAt } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { parseImage } from "./dind.ts";
import { flagValues } from "./dockerd.ts";

/** dockerd's feature flag for the containerd image store. Docker 29 uses that store by default. */
export const containerdFeature = "containerd-snapshotter";

/** Whether dockerd supports hosts.toml: supported, supported with the feature flag, or the reason why it is not. */
export type HostsTomlSupport =
  "supported" | "with-feature-flag" | "docker-too-old" | "image-store" | "graph-driver" | "docker-version-unknown";

/**
 * Whether the dockerd in a container reads `certs.d/HOST/hosts.toml`: from Docker 28 on, with the containerd image store
 * (moby, daemon/hosts.go), which is the default of 29 (daemon/image_store_choice.go). The version is read from the image
 * tag. Tags without a version (`dind`, `latest`) are the newest Docker, 29 or later.
 *
 * @param flags the flags that dockerd is started with
 * @param imageStore `containerd` if the administrator has configured that store, for images whose tag contains no version
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
 * Whether Docker's data may come from an earlier pod. In that case dockerd keeps the image store that the data was
 * created with, whatever its version (moby, daemon/image_store_choice.go). An emptyDir or ephemeral volume is always new.
 */
export function mayHaveEarlierDockerData({ spec }: Pod, container: Container): boolean {
  const names = volumesAt(container, "/var/lib/docker");
  return (spec.volumes ?? []).some((volume) => names.includes(volume.name) && !volume.emptyDir && !volume.ephemeral);
}

/** The major version of Docker in an official image. Undefined if it cannot be determined from the image name. */
export function dockerVersion(image: string): number | undefined {
  const { repository, tag } = parseImage(image);
  if (repository.split("/").at(-1) !== "docker") return undefined;
  const number = /^v?(\d+)(?=[.-]|$)/.exec(tag)?.[1];
  if (number !== undefined) return Number(number);
  // With a digest, a floating tag can refer to a version of any age.
  return image.includes("@") ? undefined : 29;
}
