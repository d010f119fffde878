import { ownPrefix } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

/** A script of arc-primer in a container's command or hook, with its arguments. */
export interface Evidence {
  readonly container: string;
  /** The script's name, such as `arc-primer-wait`. */
  readonly script: string;
  /** The script's arguments, one per setting. Long arguments are shortened, and passwords in URLs are left out. */
  readonly words: readonly string[];
  /** The package bundles that were offered to the script. They are not settings, because they change every day. */
  readonly bundles?: readonly Bundle[];
}

/** The bundle in an argument `bundle=ARCHITECTURE SHA256 URL` (src/scripts/install-packages.sh). */
export interface Bundle {
  readonly architecture: string;
  readonly sha256: string;
  readonly url: string;
  /** The time of the build (RFC 3339). This field and the next two are present only if the index lists the bundle. */
  readonly built?: string;
  readonly age?: string;
  readonly packages?: readonly string[];
}

/**
 * Finds arc-primer's scripts in all containers of a pod, in order. Reads commands and hooks, but never variables.
 *
 * @param published the bundles in the index
 */
export function evidenceOf(pod: Pod, published: readonly Bundle[] = []): Evidence[] {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(scriptsIn);
  const known = new Map(published.map(({ sha256, built, age, packages }) => [sha256, { built, age, packages }]));
  return all.map((one) =>
    one.bundles ? { ...one, bundles: one.bundles.map((bundle) => ({ ...bundle, ...known.get(bundle.sha256) })) } : one,
  );
}

function scriptsIn(container: Container): Evidence[] {
  const lines = [
    [...(container.command ?? []), ...(container.args ?? [])],
    container.lifecycle?.preStop?.exec?.command ?? [],
  ];
  return lines.flatMap((words) =>
    words.flatMap((script, index): Evidence[] => {
      if (!script.startsWith(ownPrefix) || words[index - 2] !== "-c") return [];
      const end = words.indexOf("--", index);
      const args = words.slice(index + 1, end < 0 ? undefined : end);
      const bundles = args.flatMap((word) => bundleIn(word) ?? []);
      const settings = args.filter((word) => !bundleIn(word)).map(shown);
      return [{ container: container.name, script, words: settings, ...(bundles.length > 0 && { bundles }) }];
    }),
  );
}

function bundleIn(word: string): Bundle | undefined {
  const [, architecture = "", sha256 = "", url = ""] = /^bundle=(\w+) ([0-9a-f]{64}) (\S+)$/.exec(word) ?? [];
  return architecture ? { architecture, sha256, url: shown(url) } : undefined;
}

function shown(word: string): string {
  const line = word
    .replaceAll(/\s+/g, " ")
    .replaceAll("$$", "$")
    .replaceAll(/\/\/[^/@\s]*@/g, "//…@");
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}
