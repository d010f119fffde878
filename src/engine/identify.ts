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

/** The container hooks label every pod that they make with the name of its runner (runner-container-hooks, packages/k8s). */
const workflowPodLabel = "runner-pod";

/** A runner pod of a scale set, whose name is from the label and empty where the pod has none; or why it is not one. */
export type Identity = { kind: "runner"; scaleSet: string } | { kind: "skip"; reason: PodReason };

/**
 * Whose pod is this?
 *
 *   | runner-pod | actions-ephemeral-runner | scale-set-name | component | a legacy label | it is                              |
 *   | ---------- | ------------------------ | -------------- | --------- | -------------- | ---------------------------------- |
 *   | set        | any                      | any            | any       | any            | a workflow pod of the hooks        |
 *   | not set    | True                     | any            | any       | any            | a runner                           |
 *   | not set    | else                     | set            | runner    | any            | a runner                           |
 *   | not set    | else                     | any            | any       | set            | a runner of ARC's older mode       |
 *   | not set    | else                     | any            | any       | not set        | somebody else's, or ARC's listener |
 *
 * A hook template may copy any of ARC's labels to workflow pods. ARC sets actions-ephemeral-runner last of all, so that a pod template can't override it; the others it can
 * (actions-runner-controller, controllers/actions.github.com/resourcebuilder.go). Then, of the runners: Windows ones
 * and those that opted out are left alone.
 */
export function identify(pod: Pod): Identity {
  const labels = pod.metadata.labels ?? {};
  const scaleSet = labels["actions.github.com/scale-set-name"];
  if (workflowPodLabel in labels) return { kind: "skip", reason: "workflow-pod" };
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
