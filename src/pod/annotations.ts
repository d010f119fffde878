/** All annotations of a pod together may have 256 KiB, in bytes of UTF-8 (k8s.io/apimachinery, TotalAnnotationSizeLimitB). */
export const annotationLimit = 256 * 1024;

/** The size of annotations, as the API server counts it. */
export function annotationSize(annotations: Readonly<Record<string, string>>): number {
  const encoder = new TextEncoder();
  return Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + encoder.encode(key).length + encoder.encode(value).length,
    0,
  );
}
