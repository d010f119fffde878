import { endpointOf, usesHostIp } from "./endpoint.ts";
import type { Registries } from "./types.ts";

/** The settings of one registry for BuildKit. buildkitd.toml and Dagger's engine.json use the same names. */
export interface RegistryEntry {
  mirrors?: string[];
  http?: true;
  insecure?: true;
  /** Whether to trust the private CA for this registry. The two files configure it differently. */
  privateCA?: true;
}

export interface BuildkitRegistries {
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  /** Whether there are mirrors that cannot be configured in BuildKit. */
  readonly leftOut: boolean;
}

/**
 * Converts the registries to BuildKit's settings. A mirror is written as `host[:port]/path` and requested at `/v2/path`.
 * Its protocol settings are in a separate entry for its host (moby/buildkit, util/resolver/resolver.go). So a mirror with
 * a path before `/v2` cannot be expressed, nor can a mirror at the node's IP address, which only the kubelet knows.
 */
export function buildkitRegistries(registries: Registries): BuildkitRegistries {
  const entries = new Map<string, RegistryEntry>();
  const add = (host: string, settings: RegistryEntry) => {
    if (Object.keys(settings).length > 0) entries.set(host, { ...entries.get(host), ...settings });
  };
  let leftOut = false;
  for (const [host, registry] of Object.entries(registries)) {
    const all = registry.mirrors.map((mirror) => ({ ...mirror, ...endpointOf(mirror.url) }));
    const mirrors = all.filter((mirror) => mirror.pathPrefix === "" && !usesHostIp(mirror));
    leftOut ||= mirrors.length < all.length;
    if (mirrors.length > 0) add(host, { mirrors: mirrors.map((mirror) => mirror.host + mirror.pathSuffix) });
    // Set both, because that is how dockerd interprets "insecure": HTTPS without verification, or HTTP if there is no TLS.
    if (registry.insecure) add(host, { http: true, insecure: true });
    if (registry.privateCA) add(host, { privateCA: true });
    for (const mirror of mirrors) {
      if (mirror.scheme === "http") add(mirror.host, { http: true });
      else if (mirror.insecure) add(mirror.host, { insecure: true });
      if (mirror.scheme === "https" && mirror.privateCA) add(mirror.host, { privateCA: true });
    }
  }
  return { entries, leftOut };
}

/**
 * The text of buildkitd.default.toml, which buildx uses for the builders that it creates (docker/buildx, util/confutil).
 * buildx copies the files listed under `ca` into the builder. If one of them is missing, it creates no builder.
 *
 * @param caPath the path of the private certificates in the runner container
 */
export function buildkitdToml(entries: ReadonlyMap<string, RegistryEntry>, caPath: string): string {
  return [...entries]
    .map(([host, { mirrors, http, insecure, privateCA }]) =>
      [
        `[registry.${JSON.stringify(host)}]`,
        ...(mirrors ? [`  mirrors = [${mirrors.map((mirror) => JSON.stringify(mirror)).join(", ")}]`] : []),
        ...(http ? ["  http = true"] : []),
        ...(insecure ? ["  insecure = true"] : []),
        ...(privateCA ? [`  ca = [${JSON.stringify(caPath)}]`] : []),
        "",
      ].join("\n"),
    )
    .join("\n");
}
