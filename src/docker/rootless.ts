import { folderFrom } from "../pod/home.ts";
import { trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";

/** The home directory of the user in docker:dind-rootless (docker-library/docker, dind-rootless/Dockerfile). */
export const rootlessImageHome = "/home/rootless";

/** Whether a DinD container runs rootless dockerd, judging by its image and command. */
export function isRootless({ image, command, args }: Container): boolean {
  return [image ?? "", ...(command ?? []), ...(args ?? [])].some((arg) => arg.includes("rootless"));
}

/**
 * The home directory of the user that runs a rootless dockerd. In GitHub's template, it is mounted from a volume.
 *
 * @returns undefined if only the kubelet can resolve it
 */
export function rootlessHome(dind: Container): string | undefined {
  const mounted = (dind.volumeMounts ?? [])
    .map(({ mountPath }) => trimTrailingSlashes(mountPath))
    .find((path) => /^\/home\/[^/]+$/.test(path));
  return folderFrom(dind, "HOME", mounted ?? rootlessImageHome);
}
