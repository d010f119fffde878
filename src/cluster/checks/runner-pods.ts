import { statusAnnotation } from "../../report/status.ts";
import type { PodObject } from "../objects.ts";
import { labelledNamespaces, nameOf } from "../readings.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

const minute = 60_000;
/** Reasons for which a container waits, and which do not resolve themselves. */
const permanentReasons = [
  "CreateContainerConfigError",
  "CreateContainerError",
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
];

export const runnerPods = check({
  name: "runner-pods",
  group: "scale sets",
  description:
    "The existing runner pods: whether they are primed, and whether any of them has been stuck for two minutes or longer.",
  problems: {
    unprimed: {
      status: "warn",
      means:
        "They were created before the namespace was labelled, or while arc-primer did not respond. ARC keeps them until their job is finished.",
      do: "If they are older than the installation, do nothing: new pods are primed. Otherwise, check the webhook's log at the time when they were created.",
    },
    stuck: {
      status: "warn",
      means: "A pod that waits for a missing object never runs a job, but ARC counts it as running.",
      do: "Run kubectl describe pod to see what is missing. Fix it, then delete the pod: ARC creates another one.",
    },
  },
  run(readings) {
    const { runnerPods: read, now, dryRuns } = readings;
    if (!("found" in read)) return [unreadable("the runner pods", read)];
    const names = labelledNamespaces(readings).map(({ metadata }) => metadata.name);
    const skipped = dryRuns.filter(
      ({ primed }) => primed && (primed.decision.kind === "skip" || primed.mode === "audit"),
    );
    const pods = read.found.filter(({ metadata }) => names.includes(metadata.namespace ?? ""));
    if (pods.length === 0) return [{ ok: "there are no runner pods at the moment" }];
    const shouldBePrimed = ({ metadata }: PodObject) =>
      !skipped.some(
        ({ scaleSet, namespace }) =>
          namespace === metadata.namespace &&
          scaleSet.metadata.name === metadata.labels?.["actions.github.com/scale-set-name"],
      );
    const unprimed = pods.filter(
      (pod) => shouldBePrimed(pod) && pod.metadata.annotations?.[statusAnnotation] === undefined,
    );
    const stuck = pods.flatMap((pod) => {
      const why = stuckReason(pod, now);
      return why === undefined ? [] : [`${nameOf(pod)} (${why})`];
    });
    const findings: Finding<"unprimed" | "stuck">[] = [];
    if (unprimed.length > 0)
      findings.push({
        problem: "unprimed",
        what: `${unprimed.length} of ${counted(pods.length, "runner pod")} not primed: ${listed(unprimed.map(nameOf))}`,
      });
    if (stuck.length > 0) findings.push({ problem: "stuck", what: `stuck: ${listed(stuck)}` });
    return findings.length > 0 ? findings : [{ ok: `${counted(pods.length, "runner pod")}, all primed, none stuck` }];
  },
});

function stuckReason({ metadata, status = {} }: PodObject, now: number): string | undefined {
  const age = now - Date.parse(metadata.creationTimestamp ?? new Date(now).toISOString());
  if (status.phase !== "Pending" || age < 2 * minute) return undefined;
  const waiting = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const reason = waiting.map(({ state }) => state?.waiting?.reason).find((one) => permanentReasons.includes(one ?? ""));
  if (reason !== undefined) return reason;
  const unscheduled = status.conditions?.find((one) => one.type === "PodScheduled" && one.status === "False");
  if (unscheduled) return unscheduled.reason ?? "Unschedulable";
  return age > 10 * minute ? "Pending for more than ten minutes" : undefined;
}
