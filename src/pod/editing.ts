import type { Container, Pod } from "./types.ts";

/**
 * Lets a mutation edit a pod by plain assignments, without touching the pod that came in: what it may assign to is copied,
 * and nothing else is (types.ts names the parts). That is a few dozen small objects, whatever the pod's size, and what is
 * only read costs no more than in any object (docs/decisions/0003).
 *
 * @returns the copy; and a function that gives what has become of it, where every part that is as it was is the very
 *   object that came in
 */
export function startEditing(pod: Pod): { copy: Pod; finish: () => Pod } {
  const originals = new Map<unknown, unknown>();

  function copyOf<T extends object>(part: T): T {
    const copy = { ...part };
    originals.set(copy, part);
    return copy;
  }
  function copyOfList<T>(list: T[], copyOfItem = (item: T) => item): T[] {
    const copy = list.map(copyOfItem);
    originals.set(copy, list);
    return copy;
  }
  function copyOfContainer(container: Container): Container {
    const copy = copyOf(container);
    if (copy.command) copy.command = copyOfList(copy.command);
    if (copy.args) copy.args = copyOfList(copy.args);
    if (copy.env) copy.env = copyOfList(copy.env);
    if (copy.volumeMounts) copy.volumeMounts = copyOfList(copy.volumeMounts);
    return copy;
  }

  const copy = copyOf(pod);
  copy.metadata = copyOf(pod.metadata);
  const spec = (copy.spec = copyOf(pod.spec));
  spec.containers = copyOfList(spec.containers, copyOfContainer);
  if (spec.initContainers) spec.initContainers = copyOfList(spec.initContainers, copyOfContainer);
  if (spec.volumes) spec.volumes = copyOfList(spec.volumes);
  return { copy, finish: () => settled(copy, originals) };
}

type Originals = ReadonlyMap<unknown, unknown>;

/** The original of a copy that says the same; else the copy, with the same done to what is in it. */
function settled<T>(part: T, originals: Originals): T {
  const original = originals.get(part) as T | undefined;
  if (!original) return part;
  if (Array.isArray(part)) return settledList(part as unknown[], original as unknown[], originals) as T;
  for (const key in part) {
    if (part[key] !== original[key]) part[key] = settled(part[key], originals);
  }
  const keys = Object.keys(part as object) as (keyof T)[];
  const same =
    keys.length === Object.keys(original as object).length &&
    keys.every((key) => Object.hasOwn(original, key) && part[key] === original[key]);
  return same ? original : part;
}

function settledList(list: unknown[], original: unknown[], originals: Originals): unknown[] {
  for (const [index, item] of list.entries()) {
    if (item !== original[index]) list[index] = settled(item, originals);
  }
  const same = list.length === original.length && list.every((item, index) => item === original[index]);
  return same ? original : list;
}
