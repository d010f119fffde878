/** A package bundle as the index describes it: packages that were installed once and are served as one archive. */
export interface Bundle {
  /** The name of the profile whose packages it contains. */
  readonly profile: string;
  /** The image that the packages were installed in, as pods reference it. */
  readonly image: string;
  /** In Debian's notation: amd64, arm64. */
  readonly architecture: string;
  /** The digest of the archive, 64 hexadecimal digits. A pod accepts no other archive. */
  readonly sha256: string;
  readonly url: string;
  /** The `settingsDigest` of the profile at build time. A profile that has changed since then does not use the bundle. */
  readonly settings: string;
  /** The build time, RFC 3339. */
  readonly built: string;
  /** The size of the archive in bytes. */
  readonly bytes: number;
  /** The installed packages with their versions, such as `curl 7.88.1-10`. */
  readonly packages: readonly string[];
}

/** The fields that a bundle is selected by. */
export type BundleChoice = Pick<Bundle, "profile" | "image" | "settings">;

/**
 * The bundles for the pods of a profile with an image: the newest one for each architecture, because the node is not known
 * when a pod is created.
 *
 * @returns the bundles, sorted by architecture
 */
export function bundlesFor(bundles: readonly Bundle[], { profile, image, settings }: BundleChoice): Bundle[] {
  const matching = bundles.filter((one) => one.profile === profile && one.image === image && one.settings === settings);
  const oldestFirst = matching.toSorted((a, b) => Date.parse(a.built) - Date.parse(b.built));
  const newest = new Map(oldestFirst.map((one) => [one.architecture, one]));
  return [...newest.values()].toSorted((a, b) => (a.architecture < b.architecture ? -1 : 1));
}

/** The argument of install-packages.sh that offers it a bundle. */
export function bundleWord({ architecture, sha256, url }: Bundle): string {
  return `bundle=${architecture} ${sha256} ${url}`;
}

/**
 * The age of a bundle, such as `90 minutes`, `5 hours`, `3 days`.
 *
 * @param time the current time, in milliseconds since 1970
 */
export function bundleAge({ built }: Pick<Bundle, "built">, time: number): string {
  const minutes = Math.max(0, Math.round((time - Date.parse(built)) / 60_000));
  if (minutes < 120) return `${minutes} minutes`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
}
