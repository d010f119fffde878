import type { Container, Pod } from "../pod/types.ts";

/**
 * Lets a mutation edit a pod by plain assignments without modifying the original pod. Only the parts that a mutation may
 * assign to are copied (src/pod/types.ts lists them). These are a few dozen small objects, whatever the pod's size. Reading the
 * copy costs no more than reading any other object (docs/decisions/0003).
 *
 * @returns the copy, and a function that returns the edited pod. In the edited pod, every unchanged part is the same
 *   object as in the original pod
 */
export function startEditing(pod: Pod): { copy: Pod; finish: () => Pod } {
  const originals = new Map<Container, Container>(); // keyed by the copy, because a mutation may move containers

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
  return { copy, finish: () => restoreOriginals(copy, pod, originals) };
}

/** Replaces unchanged parts of the copy by the original objects, from the innermost parts to the pod. */
function restoreOriginals(copy: Pod, pod: Pod, originals: ReadonlyMap<Container, Container>): Pod {
  const restoreAll = (containers: Container[] | undefined) =>
    containers?.forEach((container, index) => {
      const original = originals.get(container);
      if (original) containers[index] = restoreOriginalPart(container, original);
    });
  restoreAll(copy.spec.containers);
  restoreAll(copy.spec.initContainers);
  copy.spec = restoreOriginalPart(copy.spec, pod.spec);
  copy.metadata = restoreOriginalPart(copy.metadata, pod.metadata);
  return restoreOriginalPart(copy, pod);
}

/** Returns the original if the part equals it. Otherwise returns the part, with equal lists replaced by the originals. */
function restoreOriginalPart<T extends object>(part: T, original: T): T {
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
