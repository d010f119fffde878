import type { Wanted } from "../bundle-server/builder.ts";
import { settingsDigest, settingsWords } from "../bundles/settings.ts";
import type { Config, Profile } from "../config/schema.ts";
import type { Logger } from "../log.ts";

/**
 * Creates a function that returns what has to be built for a profile, according to the current configuration: the arguments
 * of install-packages.sh. They are the same as in pods, except for the timeout, which is the one of a build, and the size
 * limit, which the store must have room for.
 *
 * @param parts.timeout the timeout of a build in milliseconds
 * @param parts.largest the size of the largest bundle that the store accepts, in bytes
 * @returns a function that returns undefined while the profile does not exist or installs nothing. The reason is logged once
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
    const reason = profile ? nothingToBuild(profile) : "the configuration does not contain this profile";
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
  return packages.length === 0 && script === undefined ? "the profile contains no packages and no script" : undefined;
}

function wantedOf({ prerequisites }: Profile, timeout: number, largest: number): Wanted {
  const words = settingsWords(prerequisites).map((word) => {
    if (word.startsWith("timeout=")) return `timeout=${Math.floor(timeout / 1000)}`;
    // The bundle also contains a description of the packages, which needs some space.
    if (word.startsWith("size-limit=")) return `size-limit=${Math.min(Number(word.slice(11)), largest - 2 ** 24)}`;
    return word;
  });
  return { words: [...words, "--", ...prerequisites.packages], settings: settingsDigest(prerequisites) };
}
