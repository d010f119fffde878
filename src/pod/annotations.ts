/** All annotations of a pod together may have 256 KiB, in bytes of UTF-8 (k8s.io/apimachinery, TotalAnnotationSizeLimitB). */
export const annotationLimit = 256 * 1024;

/** The size of annotations, as the API server counts it. */
export function annotationSize(annotations: Readonly<Record<string, string>>): number {
  // In one go, for pods can have hundreds; between line feeds, so that halves of characters stay apart.
  const texts = Object.entries(annotations).flat();
  return new TextEncoder().encode(texts.join("\n")).length - Math.max(texts.length - 1, 0);
}
