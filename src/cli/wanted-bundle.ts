import type { Wanted } from "../bundle-server/builder.ts";
import { settingsDigest, settingsWords } from "../bundles/settings.ts";
import type { Config, Profile } from "../config/schema.ts";
import type { Logger } from "../log.ts";

/**
 * What the configuration in force wants to be built for a profile: the words of install-packages.sh as pods get them, but
 * for the time, which is the builder's, and the size, which the store must have room for.
 *
 * @param parts.timeout of a build, in milliseconds
 * @param parts.largest the largest bundle that the store takes, in bytes
 * @returns the function that tells it; undefined while the profile is not there or installs nothing, which the log says once
 */
export function wantedBundle(parts: {
  config: () => Config;
  profile: string;
  timeout: number;
  largest: number;
  log: Logger;
}): () => Wanted | undefined {
  const { config, profile: name, timeout, largest, log } = parts;
  let last: { profile: Profile | undefined; wanted: Wanted | undefined } | undefined;
  return () => {
    const profile = config().profiles[name];
    if (last?.profile === profile && last) return last.wanted;
    const reason = profile ? nothingToBuild(profile) : "the configuration has no such profile";
    if (reason) log.warn({ profile: name, reason }, "there is nothing to build");
    const wanted = profile && !reason ? wantedOf(profile, timeout, largest) : undefined;
    last = { profile, wanted };
    return wanted;
  };
}

function nothingToBuild({
  enabled,
  prerequisites: { enabled: installs, packages, script },
}: Profile): string | undefined {
  if (!enabled) return "the profile is disabled";
  if (!installs) return "the profile's prerequisites are disabled";
  return packages.length === 0 && script === undefined ? "the profile names no packages and no script" : undefined;
}

function wantedOf({ prerequisites }: Profile, timeout: number, largest: number): Wanted {
  const words = settingsWords(prerequisites).map((word) => {
    if (word.startsWith("timeout=")) return `timeout=${Math.floor(timeout / 1000)}`;
    // What describes the packages takes some room beside them.
    if (word.startsWith("size-limit=")) return `size-limit=${Math.min(Number(word.slice(11)), largest - 2 ** 24)}`;
    return word;
  });
  return { words: [...words, "--", ...prerequisites.packages], settings: settingsDigest(prerequisites) };
}
