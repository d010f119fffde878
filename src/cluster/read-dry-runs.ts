import type { Prime } from "../engine/prime.ts";
import { chooseProfile } from "../engine/profile.ts";
import type { Config } from "../config/schema.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { CreateResponse, Cluster, ReadResult } from "./connect.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { ConfigMap } from "./objects.ts";
import { plainPod } from "./plain-pods.ts";
import type { Reference, DryRun } from "./readings.ts";
import { referencesOf } from "./references.ts";
import { podOfScaleSet } from "./scale-set.ts";
import type { ArcObject } from "./scale-set.ts";

/** Creates the pod that ARC would create for a scale set, as a dry run, and also primes it in this process. */
export async function dryRunScaleSet(
  cluster: Cluster,
  { scaleSet, podSecurity }: { scaleSet: ArcObject; podSecurity: PodSecurity },
  config: Config | undefined,
  prime: Prime,
): Promise<DryRun> {
  const namespace = scaleSet.metadata.namespace ?? "";
  const pod = podOfScaleSet(scaleSet, "dry-run");
  const primed = pod && config && prime(pod, { namespace, podSecurity, config });
  return { scaleSet, namespace, pod, podSecurity, primed, response: pod && (await dryRunPod(cluster, namespace, pod)) };
}

async function dryRunPod(
  cluster: Cluster,
  namespace: string,
  pod: unknown,
): Promise<CreateResponse | { failed: string }> {
  try {
    return await cluster.create(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, pod, { dryRun: "All" });
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

/** Creates a pod with an image volume, as a dry run. */
export async function dryRunImageVolume(cluster: Cluster, namespace: string): Promise<CreateResponse | undefined> {
  const response = await dryRunPod(cluster, namespace, plainPod);
  return "failed" in response ? undefined : response;
}

/** Reads the objects that the profiles of these scale sets reference, each one once. */
export async function readReferences(
  cluster: Cluster,
  dryRuns: readonly DryRun[],
  config: Config,
): Promise<Reference[]> {
  const wanted = dryRuns.flatMap(({ scaleSet, namespace, pod }) => {
    const runner = { namespace, scaleSet: scaleSet.metadata.name };
    const { profile } = chooseProfile(config, runner, pod?.metadata.annotations?.["arc-primer.dev/profile"]);
    return profile.enabled ? referencesOf(profile, namespace) : [];
  });
  const unique = new Map(wanted.map((one) => [JSON.stringify(one), one]));
  return mapConcurrently([...unique.values()], async (reference) => ({
    ...reference,
    keys: await keysOf(cluster, reference),
  }));
}

async function keysOf(
  cluster: Cluster,
  { kind, namespace, name }: Omit<Reference, "keys">,
): Promise<ReadResult<string[]>> {
  const collection =
    kind === "StorageClass"
      ? "/apis/storage.k8s.io/v1/storageclasses"
      : `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind.toLowerCase()}s`;
  const read = await cluster.get<ConfigMap>(`${collection}/${encodeURIComponent(name)}`);
  return "found" in read ? { found: Object.keys(read.found.data ?? {}) } : read; // drops the values of a Secret
}
