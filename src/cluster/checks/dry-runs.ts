import { explain, isCode, needsAttention } from "../../report/reasons.ts";
import type { Code } from "../../report/reasons.ts";
import { statusAnnotation } from "../../report/status.ts";
import type { Status } from "../../report/status.ts";
import type { PodObject } from "../objects.ts";
import type { Readings, DryRun } from "../readings.ts";
import { check, listed } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "refused" | "not-primed" | "nothing-applied" | "sidecar-lost" | "left-out" | "no-template";

export const dryRuns = check({
  name: "dry-runs",
  group: "scale sets",
  description:
    "The pod that each scale set in a labelled namespace would create, sent to the API server as a dry run: which mutations are applied, and why others are not.",
  problems: {
    refused: {
      status: "fail",
      means:
        "The API server rejects this scale set's pods. ARC marks such a runner as failed and does not retry, unless the reason is a quota.",
      do: 'Fix what the message names. If it is about the template itself, the pod is rejected without arc-primer too: test this with the annotation arc-primer.dev/skip: "true".',
    },
    "not-primed": {
      status: "fail",
      means: "The pod was created without arc-primer: the API server did not call it, or received no response in time.",
      do: "Fix the problems that the checks of the webhook and of the replicas report. If all of them are ✓, search the API server's log for arc-primer.dev.",
    },
    "sidecar-lost": {
      status: "fail",
      means:
        "A webhook has removed restartPolicy: Always from the DinD container. The container is then not a sidecar, and the pod waits forever for it to exit.",
      do: "Find the mutating webhook that uses an old Kubernetes library (the check other-webhooks lists the webhooks that receive runner pods). Upgrade it, or exclude the namespace from it.",
    },
    "nothing-applied": {
      status: "warn",
      means: "The API server called arc-primer, which had nothing to do for the reasons given.",
      do: "If this is not intended, look up the reasons in docs/reference/reasons.md.",
    },
    "left-out": {
      status: "warn",
      means: "A setting of the profile could not be applied, and this needs attention.",
      do: "Look up the reason in docs/reference/reasons.md.",
    },
    "no-template": {
      status: "warn",
      means: "The scale set has no pod template, so its pods are unknown.",
      do: "Check spec.template of the AutoscalingRunnerSet.",
    },
  },
  run: (readings) => readings.dryRuns.map((dryRun) => resultOf(dryRun, readings.release)),
});

function resultOf(dryRun: DryRun, release: Readings["release"]): Finding<Codes> {
  const { scaleSet, namespace, pod, response, primed } = dryRun;
  const name = `${namespace}/${scaleSet.metadata.name}`;
  if (!pod || !response) return { problem: "no-template", what: `${name} has no pod template` };
  if ("failed" in response) return { unknown: `${name}: ${response.failed}` };
  const created = response.object as (PodObject & { message?: string }) | undefined;
  if (response.status !== 201) return rejection(name, response.status, created?.message ?? "no reason given");
  if (primed?.decision.kind === "skip") {
    return {
      ok: `${name}: not changed, as configured: ${explain(primed.decision.reason)} (${primed.decision.reason})`,
    };
  }
  const text = created?.metadata.annotations?.[statusAnnotation];
  if (primed?.mode === "audit") return { ok: `${name}: the mode is audit, so the pod is not changed` };
  if (!release || text === undefined)
    return { problem: "not-primed", what: `${name}: the API server returned the pod unprimed` };
  const lost = lostSidecars(pod, created);
  if (lost.length > 0)
    return { problem: "sidecar-lost", what: `${name}: ${listed(lost)} no longer has restartPolicy: Always` };
  return describeStatus(name, JSON.parse(text) as Status);
}

function rejection(name: string, status: number, message: string): Finding<Codes> {
  if (/does not support dry run/.test(message)) return { unknown: `${name}: ${message}` };
  if (status === 403 && /cannot create resource "pods"/.test(message)) {
    return {
      unknown: `${name}: no permission to create pods as a dry run: ${message}`,
      do: "Bind the ClusterRole arc-primer-doctor-dry-run in that namespace (docs/operations/doctor.md).",
    };
  }
  if (status === 500 && /arc-primer\.dev/.test(message)) return { problem: "not-primed", what: `${name}: ${message}` };
  return { problem: "refused", what: `${name}: ${status}: ${message}` };
}

function lostSidecars({ spec }: NonNullable<DryRun["pod"]>, created: PodObject | undefined): string[] {
  const returned = created?.spec?.initContainers ?? [];
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return sidecars
    .map((container) => container.name)
    .filter((container) => returned.some((one) => one.name === container && one.restartPolicy !== "Always"));
}

/** The contents of the pod's status annotation, in words. */
function describeStatus(name: string, { profile, problem, applied, skipped, notes = {} }: Status): Finding<Codes> {
  const why = Object.entries(skipped).map(
    ([mutation, reason]) => `${mutation} not applied (${reason}: ${sentence(reason)})`,
  );
  const done = applied.length > 0 ? `applied ${listed(applied, 20)}` : "nothing applied";
  const what = [`${name}: profile ${profile}, ${done}`, ...why, ...(problem ? [sentence(problem)] : [])].join("; ");
  const codes = [...Object.values(skipped), ...Object.values(notes).flat(), ...(problem ? [problem] : [])];
  if (codes.some((code) => isCode(code) && needsAttention(code))) return { problem: "left-out", what };
  return applied.length > 0 ? { ok: what } : { problem: "nothing-applied", what };
}

function sentence(code: string): string {
  return isCode(code) ? explain(code satisfies Code) : "this version does not know the reason";
}
