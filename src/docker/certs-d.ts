import { folderFrom } from "../pod/home.ts";
import { trimmed } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";
import { dockerVersion } from "./image-store.ts";

/** dockerd's certs.d: /etc/docker/certs.d, rootless `$XDG_CONFIG_HOME/docker/certs.d` (moby, registry/config.go). */
export function certsFolder(dind: Container): string | undefined {
  if (!isRootless(dind)) return "/etc/docker/certs.d";
  // GitHub's rootless template gives its user a home from a volume; the image's own is /home/rootless.
  const mounted = (dind.volumeMounts ?? [])
    .map(({ mountPath }) => trimmed(mountPath))
    .find((path) => /^\/home\/[^/]+$/.test(path));
  const home = folderFrom(dind, "HOME", mounted ?? "/home/rootless");
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

function isRootless({ image, command, args }: Container): boolean {
  return [image ?? "", ...(command ?? []), ...(args ?? [])].some((word) => word.includes("rootless"));
}
