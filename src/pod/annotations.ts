/** The total size limit of all annotations of an object, in UTF-8 bytes (k8s.io/apimachinery, TotalAnnotationSizeLimitB). */
export const annotationLimit = 256 * 1024;

/** Whether the API server accepts a pod with annotations of this size. */
export function annotationsFit(annotations: Readonly<Record<string, string>>): boolean {
  // A UTF-16 code unit takes at most 3 bytes in UTF-8, so most pods need no encoding. A value may not be a string, because
  // an own `__proto__` property is not validated.
  let units = 0;
  for (const key in annotations) units += key.length + (annotations[key]?.length ?? 0);
  return 3 * units <= annotationLimit || annotationSize(annotations) <= annotationLimit;
}

/** The size of annotations in bytes, as the API server counts it. */
export function annotationSize(annotations: Readonly<Record<string, string>>): number {
  // Encoded in one call, because pods can have hundreds of annotations. Joined by line feeds, so that lone surrogates at the
  // end of one text and the start of the next do not form a character.
  const texts = Object.entries(annotations).flat();
  return new TextEncoder().encode(texts.join("\n")).length - Math.max(texts.length - 1, 0);
}
