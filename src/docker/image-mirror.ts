/** The kubelet's mirrors, by the registry's host: `docker.io` → `harbor.example.com/hub`. */
export type ImageMirrors = Readonly<Record<string, string>>;

/**
 * The name of an image at the mirror of its registry; the same name if its registry has none. Tag and digest stay.
 *
 * A name without a registry is Docker Hub's, and one without a namespace is in `library` there (distribution/reference,
 * ParseNormalizedNamed).
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

/** Whether an image is at one of the mirrors already. A mirror's host may have a mirror of its own. */
export function isAtMirror(image: string, mirrors: ImageMirrors): boolean {
  return Object.values(mirrors).some((mirror) => image.startsWith(`${mirror}/`));
}
