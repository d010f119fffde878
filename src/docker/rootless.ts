import { folderFrom } from "../pod/home.ts";
import { trimmed } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";

/** The home of the user in docker:dind-rootless (docker-library/docker, dind-rootless/Dockerfile). */
export const rootlessImageHome = "/home/rootless";

/** Whether a DinD container runs dockerd as a user other than root, as far as its image and its command tell. */
export function isRootless({ image, command, args }: Container): boolean {
  return [image ?? "", ...(command ?? []), ...(args ?? [])].some((word) => word.includes("rootless"));
}

/**
 * The home of the user that runs a rootless dockerd. GitHub's template gives its user one from a volume.
 *
 * @returns undefined where only the kubelet knows it
 */
export function rootlessHome(dind: Container): string | undefined {
  const mounted = (dind.volumeMounts ?? [])
    .map(({ mountPath }) => trimmed(mountPath))
    .find((path) => /^\/home\/[^/]+$/.test(path));
  return folderFrom(dind, "HOME", mounted ?? rootlessImageHome);
}
