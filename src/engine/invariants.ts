import { isSidecar } from "../pod/containers.ts";
import type { Container, Pod } from "../pod/types.ts";

const gracePeriodKey = "terminationGracePeriodSeconds";

/** An action that is allowed only for mutations that declare it. */
export type Permission =
  "add-privileged-containers" | "add-pull-secrets" | "lengthen-grace-period" | "remove-init-containers";

/**
 * Returns the invariants that a mutation has broken, one sentence each. Empty if it has broken none.
 *
 * The API server would reject a broken pod, and ARC would then mark the runner as permanently failed. So this check runs
 * after every mutation, and a mutation that breaks an invariant is discarded. Problems that the pod had before are ignored.
 *
 * @param before the pod before the mutation
 * @param after the pod after the mutation
 * @param permissions the permissions of this mutation
 */
export function brokenInvariants(before: Pod, after: Pod, permissions: readonly Permission[] = []): string[] {
  if (before === after) return [];
  return [
    ...newStructuralProblems(before, after),
    ...forbiddenChanges(before, after),
    ...(permissions.includes("add-privileged-containers") ? [] : addedPrivileges(before, after)),
    ...gracePeriod(before, after, permissions.includes("lengthen-grace-period")),
    ...pullSecrets(before, after, permissions.includes("add-pull-secrets")),
    ...brokenContainers(
      "an init container",
      stayingInitContainers(before, after, permissions),
      after.spec.initContainers ?? [],
    ),
    ...brokenContainers("a container", before.spec.containers, after.spec.containers),
  ];
}

// The original pod is checked only if the new one has problems.
function newStructuralProblems(before: Pod, after: Pod): string[] {
  const problems = problemsOf(after);
  if (problems.length === 0) return problems;
  const had = new Set(problemsOf(before));
  return problems.filter((problem) => !had.has(problem));
}

function problemsOf({ spec }: Pod): string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const volumes = (spec.volumes ?? []).map(nameOf);
  const known = new Set(volumes);
  const problems = [
    ...repeated(containers.map(nameOf)).map((name) => `two containers are named ${name}`),
    ...repeated(volumes).map((name) => `two volumes are named ${name}`),
  ];
  for (const { name, volumeMounts } of containers) {
    for (const mount of volumeMounts ?? []) {
      if (known.has(mount.name)) continue;
      problems.push(`container ${name} mounts the volume ${mount.name}, which the pod does not have`);
    }
    const paths = (volumeMounts ?? []).map(({ mountPath }) => mountPath);
    problems.push(...repeated(paths).map((path) => `container ${name} mounts two volumes at ${path}`));
  }
  return problems;
}

/** A mutation may change only containers, volumes, annotations, pull secrets and the grace period. */
function forbiddenChanges(before: Pod, after: Pod): string[] {
  return [
    ...changedKeys(before, after, ["metadata", "spec"]),
    ...changedKeys(before.metadata, after.metadata, ["annotations"]).map((key) => `metadata.${key}`),
    ...changedKeys(before.spec, after.spec, [
      "containers",
      "initContainers",
      "volumes",
      "imagePullSecrets",
      gracePeriodKey,
    ]).map((key) => `spec.${key}`),
  ].map((path) => `${path} was changed`);
}

/** Containers that were added with privileges or capabilities. Existing containers are compared in `brokenContainers`. */
function addedPrivileges({ spec: before }: Pod, { spec: after }: Pod): string[] {
  const privileged = [...(after.initContainers ?? []), ...after.containers].filter(isPrivileged).map(nameOf);
  if (privileged.length === 0) return [];
  const had = new Set([...(before.initContainers ?? []), ...before.containers].map(nameOf));
  return privileged.filter((name) => !had.has(name)).map((name) => `container ${name} was added with privileges`);
}

function isPrivileged({ securityContext }: Container): boolean {
  return Boolean(securityContext?.privileged) || (securityContext?.capabilities?.add ?? []).length > 0;
}

/** The grace period must never be shortened, even with the permission. */
function gracePeriod({ spec: before }: Pod, { spec: after }: Pod, mayLengthen: boolean): string[] {
  const [was, is] = [before[gracePeriodKey], after[gracePeriodKey]];
  if (was === is || (mayLengthen && is !== undefined && is > (was ?? 30))) return [];
  return [`spec.${gracePeriodKey} was changed`];
}

/** Existing pull secrets must stay at the start of the list, even with the permission. */
function pullSecrets({ spec: before }: Pod, { spec: after }: Pod, mayAdd: boolean): string[] {
  const [was, is] = [before.imagePullSecrets, after.imagePullSecrets];
  if (was === is || (mayAdd && (was ?? []).every((secret, index) => is?.[index] === secret))) return [];
  return ["spec.imagePullSecrets was changed"];
}

/** The init containers that must remain. With the permission, init containers may be removed, but never sidecars. */
function stayingInitContainers(
  { spec: before }: Pod,
  { spec: after }: Pod,
  permissions: readonly Permission[],
): readonly Container[] {
  const all = before.initContainers ?? [];
  if (!permissions.includes("remove-init-containers")) return all;
  const names = new Set((after.initContainers ?? []).map(nameOf));
  return all.filter((container) => isSidecar(container) || names.has(container.name));
}

/** Existing containers must keep their order, restart policy and security context. */
function brokenContainers(kind: string, before: readonly Container[], after: readonly Container[]): string[] {
  if (before === after) return [];
  const names = new Set(before.map(nameOf));
  const kept = after.filter(({ name }) => names.has(name));
  if (before.length !== kept.length || before.some(({ name }, index) => kept[index]?.name !== name)) {
    return [`${kind} was removed or reordered`];
  }
  return before.flatMap((container, index) =>
    (["restartPolicy", "securityContext"] as const)
      .filter((key) => container[key] !== kept[index]?.[key])
      .map((key) => `${key} of container ${container.name} was changed`),
  );
}

// Copy-on-write keeps unchanged parts identical, so comparing references shows what changed.
function changedKeys<T extends object>(before: T, after: T, allowed: readonly (keyof T)[]): string[] {
  if (before === after) return [];
  return Object.keys({ ...before, ...after }).filter(
    (key) => !allowed.includes(key as keyof T) && !Object.is(before[key as keyof T], after[key as keyof T]),
  );
}

/** The names that occur more than once. */
function repeated(names: readonly string[]): string[] {
  const unseen = new Set(names);
  if (unseen.size === names.length) return [];
  return [...new Set(names.filter((name) => !unseen.delete(name)))];
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
