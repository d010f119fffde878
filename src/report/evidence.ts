import { ownPrefix } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

/** What a container shows of arc-primer's work: a script of ours before its command, and what that was told. */
export interface Evidence {
  readonly container: string;
  /** The script's name, such as `arc-primer-wait`. */
  readonly script: string;
  /** What it was told, one setting a word; long words are cut, and passwords in URLs are left out. */
  readonly words: readonly string[];
  /** The bundles of packages that it was offered, which are no settings: they change from day to day. */
  readonly bundles?: readonly Bundle[];
}

/** What a word `bundle=ARCHITECTURE SHA256 URL` names (src/scripts/install-packages.sh). */
export interface Bundle {
  readonly architecture: string;
  readonly sha256: string;
  readonly url: string;
  /** When it was built, by RFC 3339, and what is in it: as long as the index names it. */
  readonly built?: string;
  readonly age?: string;
  readonly packages?: readonly string[];
}

/**
 * All that a pod's containers show, in their order. Reads commands and hooks, never a variable.
 *
 * @param published the bundles that the index names
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
      const told = words.slice(index + 1, end < 0 ? undefined : end);
      const bundles = told.flatMap((word) => bundleIn(word) ?? []);
      const settings = told.filter((word) => !bundleIn(word)).map(shown);
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
