import type { Container, Pod } from "../pod/types.ts";

/**
 * Lets a mutation edit a pod by plain assignments, without touching the pod that came in: what it may assign to is copied,
 * and nothing else is (types.ts names the parts). That is a few dozen small objects, whatever the pod's size, and what is
 * only read costs no more than in any object (docs/decisions/0003).
 *
 * @returns the copy; and a function that gives what has become of it, where every part that is as it was is the very
 *   object that came in
 */
export function startEditing(pod: Pod): { copy: Pod; finish: () => Pod } {
  const originals = new Map<Container, Container>(); // by their copies, which a mutation may move

  function copyOf(container: Container): Container {
    const copy = { ...container };
    if (copy.command) copy.command = [...copy.command];
    if (copy.args) copy.args = [...copy.args];
    if (copy.env) copy.env = [...copy.env];
    if (copy.volumeMounts) copy.volumeMounts = [...copy.volumeMounts];
    originals.set(copy, container);
    return copy;
  }

  const spec = { ...pod.spec, containers: pod.spec.containers.map(copyOf) };
  if (spec.initContainers) spec.initContainers = spec.initContainers.map(copyOf);
  if (spec.volumes) spec.volumes = [...spec.volumes];
  const copy = { ...pod, metadata: { ...pod.metadata }, spec };
  return { copy, finish: () => settled(copy, pod, originals) };
}

/** Puts what says the same as in the original back to it, from the innermost to the pod. */
function settled(copy: Pod, pod: Pod, originals: ReadonlyMap<Container, Container>): Pod {
  const settleAll = (containers: Container[] | undefined) =>
    containers?.forEach((container, index) => {
      const original = originals.get(container);
      if (original) containers[index] = settledPart(container, original);
    });
  settleAll(copy.spec.containers);
  settleAll(copy.spec.initContainers);
  copy.spec = settledPart(copy.spec, pod.spec);
  copy.metadata = settledPart(copy.metadata, pod.metadata);
  return settledPart(copy, pod);
}

/** The original if nothing in the part differs from it, else the part, with those of its lists that do not. */
function settledPart<T extends object>(part: T, original: T): T {
  for (const key in part) {
    if (part[key] !== original[key] && isSameList(part[key], original[key])) part[key] = original[key];
  }
  const keys = Object.keys(part) as (keyof T)[];
  const same =
    keys.length === Object.keys(original).length &&
    keys.every((key) => Object.hasOwn(original, key) && part[key] === original[key]);
  return same ? original : part;
}

function isSameList(list: unknown, original: unknown): boolean {
  if (!Array.isArray(list) || !Array.isArray(original)) return false;
  return list.length === original.length && list.every((item, index) => item === original[index]);
}
