import { isWindows } from "../pod/windows.ts";
import type { Pod } from "../pod/types.ts";
import type { PodReason } from "../report/reasons.ts";

export const skipAnnotation = "arc-primer.dev/skip";

/** By these the older controller knows its pods (controllers/actions.summerwind.net/runner_pod_controller.go). */
const legacyLabels = [
  "actions-runner-controller/inject-registration-token",
  "actions-runner",
  "runner-deployment-name",
  "runnerset-name",
];

/**
 * Whether the container hooks made a pod, for the job of a runner: they label it with the runner's name and call its first
 * container `job` (runner-container-hooks, packages/k8s). Runners may bear that label as well, by their template.
 */
function isWorkflowPod({ metadata, spec }: Pod): boolean {
  const isOwned = metadata.ownerReferences?.some(({ kind }) => kind === "EphemeralRunner") ?? false;
  return "runner-pod" in (metadata.labels ?? {}) && !isOwned && spec.containers.some(({ name }) => name === "job");
}

/** A runner pod of a scale set, whose name is from the label and empty where the pod has none; or why it is not one. */
export type Identity = { kind: "runner"; scaleSet: string } | { kind: "skip"; reason: PodReason };

/**
 * Whose pod is this?
 *
 *   | made by the hooks | actions-ephemeral-runner | scale-set-name | component | a legacy label | it is                              |
 *   | ----------------- | ------------------------ | -------------- | --------- | -------------- | ---------------------------------- |
 *   | yes               | any                      | any            | any       | any            | a workflow pod                     |
 *   | no                | True                     | any            | any       | any            | a runner                           |
 *   | no                | else                     | set            | runner    | any            | a runner                           |
 *   | no                | else                     | any            | any       | set            | a runner of ARC's older mode       |
 *   | no                | else                     | any            | any       | not set        | somebody else's, or ARC's listener |
 *
 * A hook template may copy any of ARC's labels to workflow pods. ARC sets actions-ephemeral-runner last of all, so that a pod template can't override it; the others it can
 * (actions-runner-controller, controllers/actions.github.com/resourcebuilder.go). Then, of the runners: Windows ones
 * and those that opted out are left alone.
 */
export function identify(pod: Pod): Identity {
  const labels = pod.metadata.labels ?? {};
  const scaleSet = labels["actions.github.com/scale-set-name"];
  if (isWorkflowPod(pod)) return { kind: "skip", reason: "workflow-pod" };
  const isRunner =
    labels["actions-ephemeral-runner"] === "True" ||
    (scaleSet !== undefined && labels["app.kubernetes.io/component"] === "runner");

  if (!isRunner) {
    const legacy = legacyLabels.some((label) => label in labels);
    return { kind: "skip", reason: legacy ? "legacy-runner" : "not-a-runner" };
  }
  if (isWindows(pod)) return { kind: "skip", reason: "windows" };
  if (pod.metadata.annotations?.[skipAnnotation] === "true") return { kind: "skip", reason: "opted-out" };
  return { kind: "runner", scaleSet: scaleSet ?? "" };
}
