/** The kubelet's mirrors, keyed by registry host: `docker.io` → `harbor.example.com/hub`. */
export type ImageMirrors = Readonly<Record<string, string>>;

/**
 * Rewrites an image name to the mirror of its registry. Returns the name unchanged if the registry has no mirror. Tag
 * and digest are kept.
 *
 * A name without a registry refers to Docker Hub. On Docker Hub, a name without a namespace is in the namespace `library`
 * (distribution/reference, ParseNormalizedNamed).
 */
export function mirroredImage(image: string, mirrors: ImageMirrors): string {
  const [first = ""] = image.split("/", 1);
  const hasHost = first !== image && (/[.:]/.test(first) || first === "localhost");
  const host = hasHost ? first.replace(/^(index|registry-1)\.docker\.io$/, "docker.io") : "docker.io";
  const mirror = Object.hasOwn(mirrors, host) ? mirrors[host] : undefined;
  if (mirror === undefined || image === "" || isAtMirror(image, mirrors)) return image;
  const path = hasHost ? image.slice(first.length + 1) : image;
  return `${mirror}/${host === "docker.io" && !path.includes("/") ? `library/${path}` : path}`;
}

/** Whether an image name already refers to a mirror. Without this check, it could be rewritten to a mirror's mirror. */
export function isAtMirror(image: string, mirrors: ImageMirrors): boolean {
  return Object.values(mirrors).some((mirror) => image.startsWith(`${mirror}/`));
}
