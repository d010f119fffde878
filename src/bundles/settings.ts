import { createHash } from "node:crypto";
import type { Profile } from "../config/schema.ts";
import { trimTrailingSlashes } from "../pod/mounts.ts";
import { quantityValue } from "../pod/quantity.ts";

type Settings = Profile["prerequisites"];

/**
 * The arguments of install-packages.sh for a profile, in pods and in bundle builds: those between `directory=` and `--`, which
 * is followed by the packages. The script reads them in order, so the key of a source comes before the source.
 *
 * @returns the arguments, not escaped for the kubelet
 */
export function settingsWords(settings: Settings): string[] {
  const { onFailure, sizeLimit, timeout } = settings;
  return [
    `on-failure=${onFailure}`,
    `timeout=${timeout / 1000}`,
    // The kubelet evicts a pod whose volume exceeds its limit, so the script stays well below it.
    `size-limit=${Math.floor(quantityValue(sizeLimit)! * 0.9)}`,
    ...contentWords(settings),
  ];
}

/**
 * The hexadecimal SHA-256 of the settings that determine what is installed. It identifies the settings that a bundle was built
 * from. Timeouts, limits and the behaviour on failure are not part of it.
 */
export function settingsDigest(settings: Settings): string {
  const words = [...contentWords(settings), "--", ...settings.packages];
  return createHash("sha256").update(words.join("\0")).digest("hex");
}

function contentWords({ apt, script }: Settings): string[] {
  return [
    ...(apt.proxy === undefined ? [] : [`proxy=${apt.proxy}`]),
    ...mirrorWords(apt.mirrors),
    ...apt.sources.flatMap((source) => [
      ...(source.signedBy === undefined ? [] : [`key=${source.signedBy}`]),
      `source=${stanza(source)}`,
    ]),
    ...(script === undefined ? [] : [`script=${script}`]),
  ];
}

/** Mirrors as arguments of the scripts: pairs of `mirror=` and `by=`. */
export function mirrorWords(mirrors: Settings["apt"]["mirrors"]): string[] {
  return Object.entries(mirrors).flatMap(([from, to]) => [
    `mirror=${trimTrailingSlashes(from)}`,
    `by=${trimTrailingSlashes(to)}`,
  ]);
}

/** A source in apt's format (deb822, sources.list(5)). The script adds the path of the key. */
function stanza({ url, suites, components, architectures, trusted }: Settings["apt"]["sources"][number]): string {
  return [
    "Types: deb",
    `URIs: ${url}`,
    `Suites: ${suites.join(" ")}`,
    ...(components.length > 0 ? [`Components: ${components.join(" ")}`] : []),
    ...(architectures.length > 0 ? [`Architectures: ${architectures.join(" ")}`] : []),
    ...(trusted ? ["Trusted: yes"] : []),
  ].join("\n");
}
