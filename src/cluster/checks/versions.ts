/** The major and minor number of a version such as `v1.34.4-gke.1` or `containerd://2.1.4`. */
export function minorOf(version: string | undefined): { major: number; minor: number } | undefined {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** Whether a version is at least this one; undefined if the text is not a version. */
export function isAtLeast(version: string | undefined, major: number, minor: number): boolean | undefined {
  const found = minorOf(version);
  return found && (found.major > major || (found.major === major && found.minor >= minor));
}
