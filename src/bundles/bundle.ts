/** Packages that were installed once and are served as one archive; as the index, from which the webhook knows it, says. */
export interface Bundle {
  /** The name of the profile whose packages are in it. */
  readonly profile: string;
  /** The image that they were installed in, as pods name it. */
  readonly image: string;
  /** By Debian's name: amd64, arm64. */
  readonly architecture: string;
  /** Of the archive: 64 hexadecimal digits. A pod takes nothing else. */
  readonly sha256: string;
  readonly url: string;
  /** What `settingsDigest` gave when it was made: a profile that has changed since does not get it. */
  readonly settings: string;
  /** When it was made, by RFC 3339. */
  readonly built: string;
  /** The size of the archive. */
  readonly bytes: number;
  /** What was installed for it: `curl 7.88.1-10`. */
  readonly packages: readonly string[];
}

/** What a bundle is chosen by. */
export type BundleChoice = Pick<Bundle, "profile" | "image" | "settings">;

/**
 * The bundles for the pods of a profile with an image: one an architecture, the newest, since nobody knows the node yet
 * when a pod is created.
 *
 * @returns the bundles, in the order of their architectures' names
 */
export function bundlesFor(bundles: readonly Bundle[], { profile, image, settings }: BundleChoice): Bundle[] {
  const fitting = bundles.filter(
    (one) => one.profile === profile && one.image === image && one.settings === settings, //
  );
  const oldestFirst = fitting.toSorted((a, b) => Date.parse(a.built) - Date.parse(b.built));
  const newest = new Map(oldestFirst.map((one) => [one.architecture, one]));
  return [...newest.values()].toSorted((a, b) => (a.architecture < b.architecture ? -1 : 1));
}

/** The word of a pod's command line that offers a bundle to install-packages.sh. */
export function bundleWord({ architecture, sha256, url }: Bundle): string {
  return `bundle=${architecture} ${sha256} ${url}`;
}

/**
 * How long ago a bundle was built: `90 minutes`, `5 hours`, `3 days`.
 *
 * @param time now, in milliseconds since 1970
 */
export function bundleAge({ built }: Pick<Bundle, "built">, time: number): string {
  const minutes = Math.max(0, Math.round((time - Date.parse(built)) / 60_000));
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
}
