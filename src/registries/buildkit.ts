import { endpointOf, isOnNode } from "./endpoint.ts";
import type { Registries } from "./types.ts";

/** What BuildKit is told of one registry: the same names in buildkitd.toml and in Dagger's engine.json. */
export interface RegistryEntry {
  mirrors?: string[];
  http?: true;
  insecure?: true;
  /** Whether the private certificates are trusted for it; each file says so in its own way. */
  privateCA?: true;
}

export interface BuildkitRegistries {
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  /** Whether there are mirrors that BuildKit can't be told of. */
  readonly leftOut: boolean;
}

/**
 * The registries as BuildKit knows them. A mirror is `host[:port]/path`, asked at `/v2/path`, and how it is spoken to
 * stands in an entry of its own, for its host (moby/buildkit, util/resolver/resolver.go). So a mirror with a path before
 * `/v2` cannot be expressed, nor can one on the node's address, which only the kubelet knows.
 */
export function buildkitRegistries(registries: Registries): BuildkitRegistries {
  const entries = new Map<string, RegistryEntry>();
  const add = (host: string, more: RegistryEntry) => {
    if (Object.keys(more).length > 0) entries.set(host, { ...entries.get(host), ...more });
  };
  let leftOut = false;
  for (const [host, registry] of Object.entries(registries)) {
    const all = registry.mirrors.map((mirror) => ({ ...mirror, ...endpointOf(mirror.url) }));
    const mirrors = all.filter((mirror) => mirror.before === "" && !isOnNode(mirror));
    leftOut ||= mirrors.length < all.length;
    if (mirrors.length > 0) add(host, { mirrors: mirrors.map((mirror) => mirror.host + mirror.after) });
    // Both: HTTPS without looking at the certificate, and if there is no TLS, HTTP, as dockerd takes the word.
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
 * The text of buildkitd.default.toml, which buildx gives the builders it creates (docker/buildx, util/confutil): it
 * copies the files named under `ca` into the builder, and creates none if one is missing.
 *
 * @param caPath where the private certificates lie for buildx, in the runner container
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
