import type { RegistryEntry } from "./buildkit.ts";

/**
 * The text of Dagger's engine.json (dagger/dagger, engine/config/config.go, which rejects unknown fields). Dagger reads
 * private certificates from a directory, not from this file. Undefined if there is nothing to configure.
 */
export function daggerEngineJson(entries: ReadonlyMap<string, RegistryEntry>): string | undefined {
  const registries = [...entries]
    .map(([host, { mirrors, http, insecure }]) => {
      return [host, { ...(mirrors && { mirrors }), ...(http && { http }), ...(insecure && { insecure }) }] as const;
    })
    .filter(([, entry]) => Object.keys(entry).length > 0);
  return registries.length > 0
    ? `${JSON.stringify({ registries: Object.fromEntries(registries) }, null, 2)}\n`
    : undefined;
}
