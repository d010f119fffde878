import { folderFrom } from "../pod/home.ts";
import { trimmed } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { dockerdFlags, flagValues } from "./dockerd.ts";
import { isRootless, rootlessHome, rootlessImageHome } from "./rootless.ts";

/** Where a volume for Docker's data is mounted; or why none can be. */
export type DataRoot =
  { readonly mountPath: string; readonly rootless: boolean } | "data-root-unknown" | "data-root-rootless";

/**
 * Where a volume has to be mounted for a container's dockerd to keep its data in it.
 *
 * That is its data-root: `--data-root`, else /var/lib/docker, rootless `$XDG_DATA_HOME/docker` or
 * `$HOME/.local/share/docker` (moby, daemon/config/config_linux.go). A configuration file could name another.
 *
 * dockerd sets the permissions of its data-root when it starts, and ends if it may not (moby, daemon/daemon_unix.go,
 * setupDaemonRoot). The root of a volume is root's, so a rootless dockerd gets it one folder higher, where it makes its
 * data-root itself. In docker:dind-rootless's own home that does not work, since the image declares its data-root a volume.
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
  const mountPath = trimmed(given ?? "/var/lib/docker");
  const isFolder = /^(\/[\w.@%+=,~-]+)+$/.test(mountPath) && !/\/\.\.?(\/|$)/.test(mountPath);
  return isFolder ? { mountPath, rootless: false } : "data-root-unknown";
}
