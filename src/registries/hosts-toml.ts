import { endpointOf, usesHostIp } from "./endpoint.ts";
import type { Mirror, Registries, Registry } from "./types.ts";

/** The file name of the private certificates next to hosts.toml. dockerd also reads it if there is no hosts.toml. */
export const caFile = "ca.crt";

/**
 * The text of `certs.d/HOST/hosts.toml`, which configures a registry's mirrors in dockerd with the containerd image store.
 * Undefined if there is nothing to write.
 *
 * The format is containerd's (core/remotes/docker/config/hosts.go). From version 28.0 on, moby reads it from its certs.d
 * (daemon/hosts.go). `server` is not set, because the default fallback is the registry itself. No further capabilities
 * are set, because containerd rejects a file with a capability that it does not know.
 *
 * @param host the registry, such as `ghcr.io`
 */
export function hostsToml(host: string, registry: Registry): string | undefined {
  const mirrors = registry.mirrors.filter(({ url }) => !usesHostIp(endpointOf(url)));
  // For Docker Hub, dockerd's flags suffice, unless a mirror needs more than flags can express. A file with several hosts
  // disables the flags, so it then has to contain all mirrors.
  const needed = host === "docker.io" ? mirrors.filter(needsHostsToml) : mirrors;
  if (needed.length === 0) return undefined;
  const blocks = mirrors.map(({ url, insecure, privateCA }) => {
    const { scheme, host: mirror, pathPrefix, pathSuffix } = endpointOf(url);
    return [
      `[host."${scheme}://${mirror}${pathPrefix}/v2${pathSuffix}"]`,
      '  capabilities = ["pull", "resolve"]',
      "  override_path = true",
      // On an http:// host either of these would make containerd try HTTPS first.
      ...(insecure && scheme === "https" ? ["  skip_verify = true"] : []),
      ...(privateCA && scheme === "https" ? [`  ca = "${caFile}"`] : []),
    ];
  });
  const registryLines = [
    ...(registry.privateCA ? [`ca = "${caFile}"`] : []),
    ...(registry.insecure ? ["skip_verify = true"] : []),
  ];
  return [...(registryLines.length > 0 ? [registryLines] : []), ...blocks]
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

/**
 * Whether a mirror of Docker Hub needs a hosts.toml, because --registry-mirror is not enough: dockerd appends `/v2` to
 * its path, and with the containerd image store it does not read any certificates for the mirror.
 */
function needsHostsToml({ url, privateCA }: Mirror): boolean {
  return endpointOf(url).pathSuffix !== "" || privateCA;
}

/** The hosts that need a `certs.d/HOST/ca.crt`: registries and their mirrors. */
export function hostsWithPrivateCA(registries: Registries): string[] {
  const hosts = Object.entries(registries).flatMap(([host, registry]) => {
    const mirrors = registry.mirrors.filter(({ privateCA }) => privateCA).map(({ url }) => endpointOf(url));
    const needsCA = registry.privateCA || (mirrors.length > 0 && hostsToml(host, registry) !== undefined);
    return [
      ...(needsCA ? [host] : []),
      ...mirrors.filter((mirror) => !usesHostIp(mirror)).map((mirror) => mirror.host),
    ];
  });
  return [...new Set(hosts)];
}
