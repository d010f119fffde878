import type { Container, Pod } from "./types.ts";

/** Where the image of GitHub's runner has its user's home. */
const runnerHome = "/home/runner";

/**
 * Where programs in the runner container find their settings, as far as the pod tells: its own variables, else the
 * profile's `runner.home`, else the home of the image's user. Undefined where a variable comes from elsewhere.
 */
export function runnerFolders(
  pod: Pod,
  container: Container,
  home: string | undefined,
): { home: string | undefined; config: string | undefined; docker: string | undefined; buildx: string | undefined } {
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const own = folder(container, "HOME", home ?? (user === 0 ? "/root" : runnerHome));
  const docker = folder(container, "DOCKER_CONFIG", own && `${own}/.docker`);
  return {
    home: own,
    // github.com/adrg/xdg, which Dagger's CLI asks
    config: folder(container, "XDG_CONFIG_HOME", own && `${own}/.config`),
    docker,
    // docker/buildx, util/confutil/config.go
    buildx: folder(container, "BUILDX_CONFIG", docker && `${docker}/buildx`),
  };
}

/** dockerd's certs.d: /etc/docker/certs.d, rootless `$XDG_CONFIG_HOME/docker/certs.d` (moby, registry/config.go). */
export function certsFolder(dind: Container): string | undefined {
  const words = [dind.image ?? "", ...(dind.command ?? []), ...(dind.args ?? [])];
  if (!words.some((word) => word.includes("rootless"))) return "/etc/docker/certs.d";
  // GitHub's rootless template gives its user a home from a volume; the image's own is /home/rootless.
  const mounted = (dind.volumeMounts ?? []).find(({ mountPath }) => /^\/home\/[^/]+\/?$/.test(mountPath))?.mountPath;
  const home = folder(dind, "HOME", mounted?.replace(/\/$/, "") ?? "/home/rootless");
  const config = folder(dind, "XDG_CONFIG_HOME", home && `${home}/.config`);
  return config && `${config}/docker/certs.d`;
}

/** The folder that a variable names, else the default; undefined where only the kubelet knows its value. */
function folder(container: Container, variable: string, otherwise: string | undefined): string | undefined {
  const entry = container.env?.findLast(({ name }) => name === variable);
  if (!entry || (!entry.valueFrom && !entry.value)) return otherwise;
  const path = entry.value?.replace(/\/+$/, "") ?? "";
  return path.startsWith("/") && !path.includes("$") && !path.includes(":") ? path : undefined;
}
