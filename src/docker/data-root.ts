import { folderFrom } from "../pod/home.ts";
import { trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { dockerdFlags, flagValues } from "./dockerd.ts";
import { isRootless, rootlessHome, rootlessImageHome } from "./rootless.ts";

/** Where to mount a volume for Docker's data, or the reason why none can be mounted. */
export type DataRoot =
  { readonly mountPath: string; readonly rootless: boolean } | "data-root-unknown" | "data-root-rootless";

/**
 * Determines where to mount a volume so that the container's dockerd keeps its data in it.
 *
 * This is its data-root: the value of `--data-root`, else /var/lib/docker. For rootless Docker it is
 * `$XDG_DATA_HOME/docker` or `$HOME/.local/share/docker` (moby, daemon/config/config_linux.go). A configuration file could
 * set another one.
 *
 * At startup, dockerd sets the permissions of its data-root, and exits if it is not allowed to (moby,
 * daemon/daemon_unix.go, setupDaemonRoot). The root directory of a volume belongs to root. So for a rootless dockerd the
 * volume is mounted at the parent directory, where dockerd creates its data-root itself. This does not work in the home
 * directory of docker:dind-rootless, because the image declares the data-root there as a volume.
 */
export function dataRoot(pod: Pod, dind: Container): DataRoot {
  const { flags, obstacle } = dockerdFlags(dind, pod);
  if (obstacle) return "data-root-unknown";
  const given = ["--data-root", "--graph", "-g"].flatMap((name) => flagValues(flags, name)).at(-1);
  if (isRootless(dind)) {
    if (given !== undefined) return "data-root-rootless";
    const home = rootlessHome(dind);
    const mountPath = folderFrom(dind, "XDG_DATA_HOME", home && `${home}/.local/share`);
    if (mountPath === undefined) return "data-root-unknown";
    return mountPath.startsWith(`${rootlessImageHome}/`) ? "data-root-rootless" : { mountPath, rootless: true };
  }
  const mountPath = trimTrailingSlashes(given ?? "/var/lib/docker");
  const isFolder = /^(\/[\w.@%+=,~-]+)+$/.test(mountPath) && !/\/\.\.?(\/|$)/.test(mountPath);
  return isFolder ? { mountPath, rootless: false } : "data-root-unknown";
}
