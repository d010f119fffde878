import { folderFrom } from "../pod/home.ts";
import { trimmed } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";

/** dockerd's certs.d: /etc/docker/certs.d, rootless `$XDG_CONFIG_HOME/docker/certs.d` (moby, registry/config.go). */
export function certsFolder(dind: Container): string | undefined {
  const words = [dind.image ?? "", ...(dind.command ?? []), ...(dind.args ?? [])];
  if (!words.some((word) => word.includes("rootless"))) return "/etc/docker/certs.d";
  // GitHub's rootless template gives its user a home from a volume; the image's own is /home/rootless.
  const mounted = (dind.volumeMounts ?? [])
    .map(({ mountPath }) => trimmed(mountPath))
    .find((path) => /^\/home\/[^/]+$/.test(path));
  const home = folderFrom(dind, "HOME", mounted ?? "/home/rootless");
  const config = folderFrom(dind, "XDG_CONFIG_HOME", home && `${home}/.config`);
  return config && `${config}/docker/certs.d`;
}
