import { envEntry, setsEnv } from "./env.ts";
import { trimmed } from "./mounts.ts";
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
  const own = folderFrom(container, "HOME", home ?? (user === 0 ? "/root" : runnerHome));
  const docker = folderFrom(container, "DOCKER_CONFIG", own && `${own}/.docker`);
  return {
    home: own,
    // github.com/adrg/xdg, which Dagger's CLI asks
    config: folderFrom(container, "XDG_CONFIG_HOME", own && `${own}/.config`),
    docker,
    // docker/buildx, util/confutil/config.go
    buildx: folderFrom(container, "BUILDX_CONFIG", docker && `${docker}/buildx`),
  };
}

/** The folder that a variable names, else the default; undefined where only the kubelet knows its value. */
export function folderFrom(container: Container, variable: string, otherwise: string | undefined): string | undefined {
  if (!setsEnv(container, variable)) return otherwise;
  const path = trimmed(envEntry(container, variable)?.value ?? "");
  return path.startsWith("/") && !path.includes("$") && !path.includes(":") ? path : undefined;
}
