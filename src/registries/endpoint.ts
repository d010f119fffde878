import type { Registries } from "./types.ts";

/** The placeholder for the node's IP address in a mirror's URL. The kubelet expands it in a container's arguments. */
export const hostIpReference = "$(HOST_IP)";

/** A mirror's URL, split at `/v2`, the root of the registry API. */
export interface Endpoint {
  readonly scheme: "http" | "https";
  /** host[:port] */
  readonly host: string;
  /** The path before `/v2`: empty, or a path like `/artifactory/api/docker/hub`. */
  readonly pathPrefix: string;
  /** The path after `/v2`: empty, or a path like `/ghcr-proxy` (a Harbor project). */
  readonly pathSuffix: string;
}

/**
 * Parses a mirror's URL. If its path does not contain `/v2`, `/v2` is appended, as dockerd does for --registry-mirror. If
 * it does, the URL is the complete root of the mirror's API, as with containerd's `override_path`.
 *
 * @param url a URL that `mirrorUrl` in src/config/addresses.ts has validated
 */
export function endpointOf(url: string): Endpoint {
  const [, scheme = "", host = "", path = ""] = /^([a-z]+):\/\/([^/]*)(.*)$/i.exec(url.replace(/\/+$/, "")) ?? [];
  const [, pathPrefix = path, pathSuffix = ""] = /^(.*?)\/v2(\/.*)?$/.exec(path) ?? [];
  return { scheme: scheme.toLowerCase() === "http" ? "http" : "https", host, pathPrefix, pathSuffix };
}

/** Whether the host is the node's IP address. The kubelet expands it in arguments, but not in files. */
export function usesHostIp({ host }: Endpoint): boolean {
  return host.includes(hostIpReference);
}

/** The hosts of all mirrors, each once. */
export function mirrorHosts(registries: Registries): string[] {
  const mirrors = Object.values(registries).flatMap((registry) => registry.mirrors);
  return [...new Set(mirrors.map(({ url }) => endpointOf(url).host))];
}
