import type { Pod } from "../pod/types.ts";
import type { Cluster, ReadResult } from "./connect.ts";
import { arcPath, podOfScaleSet } from "./scale-set.ts";
import type { ArcObject } from "./scale-set.ts";

/** An existing runner pod, or the next one of a scale set. */
export interface FoundRunner {
  /** Such as `Pod arc-runners/linux-x64-abcde`. */
  readonly subject: string;
  readonly pod: Pod;
  /** Whether the pod exists. */
  readonly isLive: boolean;
  /** For an existing pod: the pod as ARC requested it, rebuilt from its EphemeralRunner if that can be read. */
  readonly asked?: Pod | undefined;
}

/** The pod or scale set does not exist or cannot be read. The message is a sentence without a full stop. */
export class NotFound extends Error {}

/**
 * Finds a pod or a scale set.
 *
 * @param what `pod/NAME`, `scale-set/NAME`, or `NAME` for a pod or, if there is none, a scale set
 * @throws {NotFound} if it does not exist or has no pod template
 */
export async function findRunner(cluster: Cluster, namespace: string, what: string): Promise<FoundRunner> {
  const [kind, name] = what.includes("/") ? split(what) : ["", what];
  const pod = kind === "scale-set" ? undefined : await readPod(cluster, namespace, name);
  if (pod && "found" in pod) return { ...(await livePod(cluster, namespace, pod.found)), isLive: true };
  const set = kind === "pod" ? undefined : await readSet(cluster, namespace, name);
  if (set && "found" in set) return nextPod(namespace, set.found);
  const attempts = [pod && `pod: ${reasonOf(pod)}`, set && `AutoscalingRunnerSet: ${reasonOf(set)}`];
  const reasons = attempts.filter(Boolean).join("; ");
  throw new NotFound(
    `cannot find ${name} in the namespace ${namespace} (${reasons}); choose another namespace with -n`,
  );
}

function split(what: string): [string, string] {
  const [kind = "", name = ""] = what.split("/");
  const known: Readonly<Record<string, string>> = {
    pod: "pod",
    pods: "pod",
    po: "pod",
    "scale-set": "scale-set",
    autoscalingrunnerset: "scale-set",
    autoscalingrunnersets: "scale-set",
  };
  const found = known[kind.toLowerCase()];
  if (!found || !name) throw new NotFound(`${what} is not NAME, pod/NAME or scale-set/NAME`);
  return [found, name];
}

async function readPod(cluster: Cluster, namespace: string, name: string): Promise<ReadResult<Pod>> {
  return cluster.get<Pod>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`);
}

async function readSet(cluster: Cluster, namespace: string, name: string): Promise<ReadResult<ArcObject>> {
  return cluster.get<ArcObject>(`${arcPath("AutoscalingRunnerSet", namespace)}/${encodeURIComponent(name)}`);
}

/** The EphemeralRunner has the same name as the pod. */
async function livePod(cluster: Cluster, namespace: string, pod: Pod): Promise<Omit<FoundRunner, "isLive">> {
  const { name = "" } = pod.metadata;
  const runner = await cluster.get<ArcObject>(`${arcPath("EphemeralRunner", namespace)}/${encodeURIComponent(name)}`);
  const asked = "found" in runner ? podOfScaleSet({ ...runner.found, kind: "EphemeralRunner" }) : undefined;
  return { subject: `Pod ${namespace}/${name}`, pod, asked };
}

function nextPod(namespace: string, set: ArcObject): FoundRunner {
  const { name } = set.metadata;
  const subject = `AutoscalingRunnerSet ${namespace}/${name}`;
  const pod = podOfScaleSet({ ...set, kind: "AutoscalingRunnerSet" });
  if (!pod) throw new NotFound(`${subject} has no pod template`);
  return { subject, pod, isLive: false };
}

function reasonOf(read: ReadResult<unknown>): string {
  const reason = Object.values(read)[0] as string;
  // The API server's answer for a resource type that it does not have.
  return reason === "404 page not found" ? "the cluster has no such resource type; ARC is not installed" : reason;
}
