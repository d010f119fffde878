// Far above what anybody runs: etcd stores at most 1.5 MiB, and a pod of 100 containers has some thousand values.
const mostValues = 20_000;
const mostLetters = 1024 * 1024;

/**
 * Whether a pod holds more than arc-primer deals with. The webhook sees pods before anything has validated them, and one
 * thread answers for all. What `metadata.managedFields` holds does not count: nobody here looks at it.
 *
 * It gives up as soon as it knows, and nesting costs it no stack.
 */
export function isTooLarge(pod: unknown): boolean {
  const unseen: unknown[] = [pod];
  let values = 0;
  let letters = 0;
  while (unseen.length > 0) {
    const next = unseen.pop();
    if (typeof next === "string") letters += next.length;
    else if (typeof next === "object" && next !== null) {
      for (const key in next) {
        if (key === "managedFields") continue;
        values += 1;
        if (!Array.isArray(next)) letters += key.length;
        unseen.push((next as Record<string, unknown>)[key]);
      }
    }
    if (values > mostValues || letters > mostLetters) return true;
  }
  return false;
}
