import type { Registries } from "./types.ts";

/** Stands for the node's address in a mirror's URL. The kubelet replaces it in a container's arguments. */
export const hostIpReference = "$(HOST_IP)";

/** A mirror's URL, taken apart around the `/v2` under which registries are asked. */
export interface Endpoint {
  readonly scheme: "http" | "https";
  /** host[:port] */
  readonly host: string;
  /** What stands before `/v2`: empty, or a path like `/artifactory/api/docker/hub`. */
  readonly before: string;
  /** What stands after it: empty, or a path like `/ghcr-proxy` (a project of Harbor's). */
  readonly after: string;
}

/**
 * Takes a mirror's URL apart. A path without `/v2` stands before it, as in dockerd's --registry-mirror; with `/v2` in it
 * the URL is the whole root of the mirror's API, as with containerd's `override_path`.
 *
 * @param url one that `mirrorUrl` in src/config/addresses.ts has accepted
 */
export function endpointOf(url: string): Endpoint {
  const [, scheme = "", host = "", path = ""] = /^([a-z]+):\/\/([^/]*)(.*)$/i.exec(url.replace(/\/+$/, "")) ?? [];
  const [, before = path, after = ""] = /^(.*?)\/v2(\/.*)?$/.exec(path) ?? [];
  return { scheme: scheme.toLowerCase() === "http" ? "http" : "https", host, before, after };
}

/** Whether the kubelet has to put the node's address in: it does so in flags, never in files. */
export function isOnNode({ host }: Endpoint): boolean {
  return host.includes(hostIpReference);
}

/** The hosts of all mirrors, each once. */
export function mirrorHosts(registries: Registries): string[] {
  const mirrors = Object.values(registries).flatMap((registry) => registry.mirrors);
  return [...new Set(mirrors.map(({ url }) => endpointOf(url).host))];
}
