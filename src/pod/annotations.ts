/** All annotations of a pod together may have 256 KiB, in bytes of UTF-8 (k8s.io/apimachinery, TotalAnnotationSizeLimitB). */
export const annotationLimit = 256 * 1024;

/** Whether the API server takes a pod with these annotations. */
export function annotationsFit(annotations: Readonly<Record<string, string>>): boolean {
  // What `length` counts takes three bytes at most, so nearly every pod is told without encoding anything. Not every value
  // is a text: an own `__proto__` is not checked.
  let units = 0;
  for (const key in annotations) units += key.length + (annotations[key]?.length ?? 0);
  return 3 * units <= annotationLimit || annotationSize(annotations) <= annotationLimit;
}

/** The size of annotations, as the API server counts it. */
export function annotationSize(annotations: Readonly<Record<string, string>>): number {
  // In one go, for pods can have hundreds; between line feeds, so that halves of characters stay apart.
  const texts = Object.entries(annotations).flat();
  return new TextEncoder().encode(texts.join("\n")).length - Math.max(texts.length - 1, 0);
}
