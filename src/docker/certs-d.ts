import { folderFrom } from "../pod/home.ts";
import type { Container } from "../pod/types.ts";
import { dockerVersion } from "./image-store.ts";
import { isRootless, rootlessHome } from "./rootless.ts";

/** dockerd's certs.d: /etc/docker/certs.d, rootless `$XDG_CONFIG_HOME/docker/certs.d` (moby, registry/config.go). */
export function certsFolder(dind: Container): string | undefined {
  if (!isRootless(dind)) return "/etc/docker/certs.d";
  const home = rootlessHome(dind);
  const config = folderFrom(dind, "XDG_CONFIG_HOME", home && `${home}/.config`);
  return config && `${config}/docker/certs.d`;
}

/**
 * Whether files that are mounted at a folder would keep the container's dockerd from starting. Docker before 23 writes
 * key.json beside certs.d (moby, daemon/trustkey.go). Rootless, that is below ~/.config, and the kubelet gives root the
 * folders that it makes for a mount.
 */
export function blocksDockerd(dind: Container, folder: string): boolean {
  const version = dockerVersion(dind.image ?? "");
  if (!isRootless(dind) || version === undefined || version >= 23) return false;
  const config = certsFolder(dind)?.replace(/docker\/certs\.d$/, "");
  return config === undefined || folder.startsWith(config);
}
