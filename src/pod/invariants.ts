import type { Container, Pod } from "./types.ts";

/**
 * What a mutation has broken, one sentence each; empty when the pod is as sound as it came.
 *
 * A broken pod would be refused by the API server, and ARC takes a refused pod for a runner that has failed for good:
 * so this runs after every mutation, and one that breaks something is discarded. What was wrong before is not blamed
 * on the mutation.
 *
 * @param before the pod as the mutation got it
 * @param after the pod as it left it
 */
export function brokenInvariants(before: Pod, after: Pod): string[] {
  if (before === after) return [];
  const had = new Set(structuralProblems(before));
  return [
    ...structuralProblems(after).filter((problem) => !had.has(problem)),
    ...untouchables(before, after),
    ...brokenContainers("init container", before.spec.initContainers ?? [], after.spec.initContainers ?? []),
    ...brokenContainers("container", before.spec.containers, after.spec.containers),
  ];
}

function structuralProblems({ spec }: Pod): string[] {
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
}

/** Only containers, volumes and annotations are ours to change. */
function untouchables(before: Pod, after: Pod): string[] {
  const { metadata: metadataBefore, spec: specBefore, ...restBefore } = before;
  const { metadata: metadataAfter, spec: specAfter, ...restAfter } = after;
  return [
    ...changedKeys(restBefore, restAfter, []),
    ...changedKeys(metadataBefore, metadataAfter, ["annotations"]).map((key) => `metadata.${key}`),
    ...changedKeys(specBefore, specAfter, ["containers", "initContainers", "volumes"]).map((key) => `spec.${key}`),
  ].map((path) => `${path} was changed`);
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
