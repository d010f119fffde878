// Far more than in real pods: etcd stores at most 1.5 MiB, and a pod with 100 containers has a few thousand values.
const maxValues = 20_000;
const maxCharacters = 1024 * 1024;

/**
 * Whether a pod is too large for arc-primer. The webhook receives pods before they are validated, and one thread handles
 * all requests. `metadata.managedFields` does not count, because arc-primer does not read it.
 *
 * The check stops as soon as the result is known. It does not recurse, so deep nesting cannot overflow the stack.
 */
export function isTooLarge(pod: unknown): boolean {
  const unseen: object[] = [];
  let values = 0;
  let characters = 0;
  const see = (value: unknown) => {
    values += 1;
    if (typeof value === "string") characters += value.length;
    else if (typeof value === "object" && value !== null) unseen.push(value);
  };
  see(pod);
  for (let next = unseen.pop(); next; next = unseen.pop()) {
    if (Array.isArray(next)) {
      if (next.length > maxValues) return true;
      next.forEach(see);
    } else {
      for (const key of Object.keys(next)) {
        characters += key.length;
        if (key !== "managedFields") see((next as Record<string, unknown>)[key]);
      }
    }
    if (values > maxValues || characters > maxCharacters) return true;
  }
  return false;
}
