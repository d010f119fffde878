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

/** A runner pod of a scale set, whose name is from the label and empty where the pod has none; or why it is not one. */
export type Identity = { kind: "runner"; scaleSet: string } | { kind: "skip"; reason: PodReason };

/**
 * Whose pod is this?
 *
 *   | actions-ephemeral-runner | scale-set-name | component | a legacy label | it is                                |
 *   | ------------------------ | -------------- | --------- | -------------- | ------------------------------------ |
 *   | True                     | any            | any       | any            | a runner                             |
 *   | else                     | set            | runner    | any            | a runner                             |
 *   | else                     | any            | any       | set            | a runner of ARC's older mode         |
 *   | else                     | any            | any       | not set        | somebody else's, or ARC's listener   |
 *
 * ARC sets the first label last of all, so that a pod template can't override it; the others it can
 * (actions-runner-controller, controllers/actions.github.com/resourcebuilder.go). Then, of the runners: Windows ones
 * and those that opted out are left alone.
 */
export function identify(pod: Pod): Identity {
  const labels = pod.metadata.labels ?? {};
  const scaleSet = labels["actions.github.com/scale-set-name"];
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

/** By `spec.os`, else by a node selector, else by a node affinity that leaves nothing but Windows nodes. */
function isWindows({ spec }: Pod): boolean {
  const selected = spec.nodeSelector?.["kubernetes.io/os"] ?? spec.nodeSelector?.["beta.kubernetes.io/os"];
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const affine = terms.map(({ matchExpressions = [] }) =>
    matchExpressions.some(
      ({ key, operator, values }) => key === "kubernetes.io/os" && operator === "In" && values?.join() === "windows",
    ),
  );
  const byAffinity = affine.length > 0 && affine.every(Boolean) ? "windows" : undefined;
  return (spec.os?.name ?? selected ?? byAffinity) === "windows";
}
