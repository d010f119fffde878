import { createHash } from "node:crypto";
import type { Profile } from "../config/schema.ts";
import { trimTrailingSlashes } from "../pod/mounts.ts";
import { quantityValue } from "../pod/quantity.ts";

type Settings = Profile["prerequisites"];

/**
 * What install-packages.sh is told of a profile, in pods and where bundles are built: the words between its own
 * `directory=` and `--`, after which come the packages. They are in the order in which it reads them: a source's key
 * before the source.
 *
 * @returns the words, not escaped for the kubelet
 */
export function settingsWords(settings: Settings): string[] {
  const { onFailure, sizeLimit, timeout } = settings;
  return [
    `on-failure=${onFailure}`,
    `timeout=${timeout / 1000}`,
    // The kubelet evicts a pod whose volume outgrows its limit, so the script keeps clear of it.
    `size-limit=${Math.floor(quantityValue(sizeLimit)! * 0.9)}`,
    ...contentWords(settings),
  ];
}

/**
 * What a bundle is made from, as one value to compare: the SHA-256, in hexadecimal, of the words that decide what is
 * installed. Time-outs, limits and what happens on failure are not among them.
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

/** Mirrors as the scripts take them: pairs of words. */
export function mirrorWords(mirrors: Settings["apt"]["mirrors"]): string[] {
  return Object.entries(mirrors).flatMap(([from, to]) => [
    `mirror=${trimTrailingSlashes(from)}`,
    `by=${trimTrailingSlashes(to)}`,
  ]);
}

/** A source as apt reads it (deb822, sources.list(5)); the script adds where it has put the key. */
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
