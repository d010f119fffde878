import { endpointOf, isOnNode } from "./endpoint.ts";
import type { Mirror, Registries, Registry } from "./types.ts";

/** The name of the private certificates beside a hosts.toml, by which dockerd finds them without one, too. */
export const caFile = "ca.crt";

/**
 * The text of `certs.d/HOST/hosts.toml` by which dockerd, with the containerd image store, uses a registry's mirrors;
 * undefined where there is nothing to write.
 *
 * The format is containerd's (core/remotes/docker/config/hosts.go); moby reads it from its certs.d since 28.0
 * (daemon/hosts.go). No `server`: without it the last resort is the registry itself. No capability beyond these two,
 * because a containerd that does not know one refuses the file.
 *
 * @param host the registry, `ghcr.io`
 */
export function hostsToml(host: string, registry: Registry): string | undefined {
  const mirrors = registry.mirrors.filter(({ url }) => !isOnNode(endpointOf(url)));
  // For Docker Hub the flags do, unless they cannot say it: several hosts in this file switch them off.
  const needed = host === "docker.io" ? mirrors.filter(isBeyondFlags) : mirrors;
  if (needed.length === 0) return undefined;
  const blocks = mirrors.map(({ url, insecure, privateCA }) => {
    const { scheme, host: mirror, before, after } = endpointOf(url);
    return [
      `[host."${scheme}://${mirror}${before}/v2${after}"]`,
      '  capabilities = ["pull", "resolve"]',
      "  override_path = true",
      // On an http:// host either of these would make containerd try HTTPS first.
      ...(insecure && scheme === "https" ? ["  skip_verify = true"] : []),
      ...(privateCA && scheme === "https" ? [`  ca = "${caFile}"`] : []),
    ];
  });
  const own = [
    ...(registry.privateCA ? [`ca = "${caFile}"`] : []),
    ...(registry.insecure ? ["skip_verify = true"] : []),
  ];
  return [...(own.length > 0 ? [own] : []), ...blocks].map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/**
 * Whether a mirror of Docker Hub needs a hosts.toml: dockerd puts `/v2` behind the path of a --registry-mirror, and
 * with the containerd image store it looks for the mirror's certificates nowhere.
 */
function isBeyondFlags({ url, privateCA }: Mirror): boolean {
  return endpointOf(url).after !== "" || privateCA;
}

/** The hosts for which `certs.d/HOST/ca.crt` has to be there, for the registry and for its mirrors. */
export function hostsWithPrivateCA(registries: Registries): string[] {
  const hosts = Object.entries(registries).flatMap(([host, registry]) => {
    const mirrors = registry.mirrors.filter(({ privateCA }) => privateCA).map(({ url }) => endpointOf(url));
    const needsOne = registry.privateCA || (mirrors.length > 0 && hostsToml(host, registry) !== undefined);
    return [...(needsOne ? [host] : []), ...mirrors.filter((mirror) => !isOnNode(mirror)).map((mirror) => mirror.host)];
  });
  return [...new Set(hosts)];
}
