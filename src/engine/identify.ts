import { isWindows } from "../pod/windows.ts";
import type { Pod } from "../pod/types.ts";
import type { PodReason } from "../report/reasons.ts";

export const skipAnnotation = "arc-primer.dev/skip";

/** The labels of runner pods in ARC's legacy mode (controllers/actions.summerwind.net/runner_pod_controller.go). */
const legacyLabels = [
  "actions-runner-controller/inject-registration-token",
  "actions-runner",
  "runner-deployment-name",
  "runnerset-name",
];

/**
 * Whether a pod was created by the container hooks to run a job. The hooks label the pod with the runner's name and name
 * its first container `job` (runner-container-hooks, packages/k8s). A runner pod can have that label too, from its template.
 */
function isWorkflowPod({ metadata, spec }: Pod): boolean {
  const isOwned = metadata.ownerReferences?.some(({ kind }) => kind === "EphemeralRunner") ?? false;
  return "runner-pod" in (metadata.labels ?? {}) && !isOwned && spec.containers.some(({ name }) => name === "job");
}

/** A runner pod, with the name of its scale set (empty if the pod has no such label), or the reason to skip the pod. */
export type Identity = { kind: "runner"; scaleSet: string } | { kind: "skip"; reason: PodReason };

/**
 * Identifies what a pod is:
 *
 *   | created by hooks  | actions-ephemeral-runner | scale-set-name | component | a legacy label | it is                              |
 *   | ----------------- | ------------------------ | -------------- | --------- | -------------- | ---------------------------------- |
 *   | yes               | any                      | any            | any       | any            | a workflow pod                     |
 *   | no                | True                     | any            | any       | any            | a runner                           |
 *   | no                | not True                 | set            | runner    | any            | a runner                           |
 *   | no                | not True                 | any            | any       | set            | a runner of ARC's legacy mode      |
 *   | no                | not True                 | any            | any       | not set        | another pod, or ARC's listener     |
 *
 * A hook template may copy any of ARC's labels to workflow pods. ARC sets actions-ephemeral-runner last, so a pod template
 * cannot override it. A template can override the other labels (actions-runner-controller,
 * controllers/actions.github.com/resourcebuilder.go). Windows runners and runners that opted out are skipped.
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
