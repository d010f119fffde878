import { once } from "../once.ts";
import type { Container, Pod } from "./types.ts";

const gracePeriodKey = "terminationGracePeriodSeconds";

/** What a mutation may do that others may not. */
export type Permission = "add-privileged-containers" | "lengthen-grace-period";

/**
 * What a mutation has broken, one sentence each; empty when the pod is as sound as it came.
 *
 * A broken pod would be refused by the API server, and ARC takes a refused pod for a runner that has failed for good:
 * so this runs after every mutation, and one that breaks something is discarded. What was wrong before is not blamed
 * on the mutation.
 *
 * @param before the pod as the mutation got it
 * @param after the pod as it left it
 * @param permissions what this mutation may do beyond what all may
 */
export function brokenInvariants(before: Pod, after: Pod, permissions: readonly Permission[] = []): string[] {
  if (before === after) return [];
  const had = new Set(structuralProblems(before));
  return [
    ...structuralProblems(after).filter((problem) => !had.has(problem)),
    ...untouchables(before, after),
    ...(permissions.includes("add-privileged-containers") ? [] : addedPrivileges(before, after)),
    ...gracePeriod(before, after, permissions.includes("lengthen-grace-period")),
    ...brokenContainers("init container", before.spec.initContainers ?? [], after.spec.initContainers ?? []),
    ...brokenContainers("container", before.spec.containers, after.spec.containers),
  ];
}

// The pod that one mutation leaves is the one that the next gets.
const structuralProblems = once(({ spec }: Pod): string[] => {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  return [
    ...repeated(containers.map(({ name }) => name)).map((name) => `two containers are named ${name}`),
    ...repeated((spec.volumes ?? []).map(({ name }) => name)).map((name) => `two volumes are named ${name}`),
    ...containers.flatMap((container) =>
      (container.volumeMounts ?? [])
        .filter(({ name }) => !volumes.has(name))
        .map(({ name }) => `container ${container.name} mounts the volume ${name}, which the pod does not have`),
    ),
    ...containers.flatMap((container) =>
      repeated((container.volumeMounts ?? []).map(({ mountPath }) => mountPath)).map(
        (path) => `container ${container.name} mounts two volumes at ${path}`,
      ),
    ),
  ];
});

/** Only containers, volumes and annotations are ours to change. */
function untouchables(before: Pod, after: Pod): string[] {
  const { metadata: metadataBefore, spec: specBefore, ...restBefore } = before;
  const { metadata: metadataAfter, spec: specAfter, ...restAfter } = after;
  return [
    ...changedKeys(restBefore, restAfter, []),
    ...changedKeys(metadataBefore, metadataAfter, ["annotations"]).map((key) => `metadata.${key}`),
    ...changedKeys(specBefore, specAfter, ["containers", "initContainers", "volumes", gracePeriodKey]).map(
      (key) => `spec.${key}`,
    ),
  ].map((path) => `${path} was changed`);
}

/** Containers that were added with more than any container has: those that were there are compared below. */
function addedPrivileges({ spec: before }: Pod, { spec: after }: Pod): string[] {
  const had = new Set([...(before.initContainers ?? []), ...before.containers].map(({ name }) => name));
  return [...(after.initContainers ?? []), ...after.containers]
    .filter(({ name, securityContext }) => !had.has(name) && isPrivileged(securityContext))
    .map(({ name }) => `container ${name} was added with privileges`);
}

function isPrivileged(context: Container["securityContext"]): boolean {
  return Boolean(context?.privileged) || (context?.capabilities?.add ?? []).length > 0;
}

/** Even with the permission it is never shortened. */
function gracePeriod({ spec: before }: Pod, { spec: after }: Pod, mayLengthen: boolean): string[] {
  const [was, is] = [before[gracePeriodKey], after[gracePeriodKey]];
  if (was === is || (mayLengthen && is !== undefined && is > (was ?? 30))) return [];
  return [`spec.${gracePeriodKey} was changed`];
}

/** Containers that were there stay, in their order, with their restart policy and not a privilege more. */
function brokenContainers(kind: string, before: readonly Container[], after: readonly Container[]): string[] {
  const names = new Set(before.map(({ name }) => name));
  const kept = after.filter(({ name }) => names.has(name));
  if (before.length !== kept.length || before.some(({ name }, index) => kept[index]?.name !== name)) {
    return [`an ${kind} that was there is gone or stands elsewhere`.replace("an c", "a c")];
  }
  return before.flatMap((container, index) =>
    (["restartPolicy", "securityContext"] as const)
      .filter((key) => container[key] !== kept[index]?.[key])
      .map((key) => `${key} of container ${container.name} was changed`),
  );
}

// Copy-on-write keeps what nobody touched identical, so references tell what changed.
function changedKeys(before: object, after: object, allowed: readonly string[]): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter(
    (key) => !allowed.includes(key) && !Object.is(before[key as keyof object], after[key as keyof object]),
  );
}

function repeated(names: readonly string[]): string[] {
  const [seen, twice] = [new Set<string>(), new Set<string>()];
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}
