import type { RegistryEntry } from "./buildkit.ts";

/**
 * The text of Dagger's engine.json (dagger/dagger, engine/config/config.go, which refuses unknown fields). Its private
 * certificates come from a folder, not from here. Undefined where there is nothing to say.
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
