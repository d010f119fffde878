import { setTimeout as sleep } from "node:timers/promises";
import { ArcController } from "../../support/arc-controller.ts";
import type { PodStatus, Reaction } from "../../support/arc-controller.ts";
import { get } from "./kube.ts";
import type { RunnerPod } from "./runner-pod.ts";

/**
 * Follows a pod's status and returns what ARC would do. Repeated reactions are listed once. Stops at a reaction that ends the
 * pod, or after `seconds`.
 */
export async function arcSees(pod: RunnerPod, seconds: number, controller = new ArcController()): Promise<Reaction[]> {
  const { name, namespace = "" } = pod.metadata;
  const reactions: Reaction[] = [];
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    const { status = {} } = await get<{ status?: PodStatus }>("Pod", namespace, name);
    const reaction = controller.sees(status);
    if (reactions.at(-1)?.does !== reaction.does) reactions.push(reaction);
    if (reaction.does !== "wait" && reaction.does !== "count as running") break;
    await sleep(20); // a failed sidecar is restarted immediately
  }
  return reactions;
}
