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
  const unseen: object[] = [];
  let values = 0;
  let letters = 0;
  const see = (value: unknown) => {
    values += 1;
    if (typeof value === "string") letters += value.length;
    else if (typeof value === "object" && value !== null) unseen.push(value);
  };
  see(pod);
  for (let next = unseen.pop(); next; next = unseen.pop()) {
    if (Array.isArray(next)) {
      if (next.length > mostValues) return true;
      next.forEach(see);
    } else {
      for (const key of Object.keys(next)) {
        letters += key.length;
        if (key !== "managedFields") see((next as Record<string, unknown>)[key]);
      }
    }
    if (values > mostValues || letters > mostLetters) return true;
  }
  return false;
}
