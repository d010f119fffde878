import { folderFrom } from "../pod/home.ts";
import type { Container } from "../pod/types.ts";
import { dockerVersion } from "./image-store.ts";
import { isRootless, rootlessHome } from "./rootless.ts";

/** dockerd's certs.d: /etc/docker/certs.d, or if rootless `$XDG_CONFIG_HOME/docker/certs.d` (moby, registry/config.go). */
export function certsFolder(dind: Container): string | undefined {
  if (!isRootless(dind)) return "/etc/docker/certs.d";
  const home = rootlessHome(dind);
  const config = folderFrom(dind, "XDG_CONFIG_HOME", home && `${home}/.config`);
  return config && `${config}/docker/certs.d`;
}

/**
 * Whether mounting files at a directory would prevent the container's dockerd from starting. Docker before 23 writes
 * key.json next to certs.d (moby, daemon/trustkey.go). For rootless Docker that is below ~/.config, and directories that
 * the kubelet creates for a mount belong to root.
 */
export function blocksDockerd(dind: Container, folder: string): boolean {
  const version = dockerVersion(dind.image ?? "");
  if (!isRootless(dind) || version === undefined || version >= 23) return false;
  const config = certsFolder(dind)?.replace(/docker\/certs\.d$/, "");
  return config === undefined || folder.startsWith(config);
}
