import { explain, isCode, needsAttention } from "../../report/reasons.ts";
import type { Code } from "../../report/reasons.ts";
import { statusAnnotation } from "../../report/status.ts";
import type { Status } from "../../report/status.ts";
import type { PodObject } from "../objects.ts";
import type { Readings, Trial } from "../readings.ts";
import { check, listed } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "refused" | "not-primed" | "nothing-applied" | "sidecar-lost" | "left-out" | "no-template";

export const dryRuns = check({
  name: "dry-runs",
  group: "scale sets",
  looksAt:
    "The pod that each scale set in a labelled namespace would create, as a dry run on the API server: what was applied, and why not.",
  problems: {
    refused: {
      status: "fail",
      means:
        "The API server refuses this scale set's pods. ARC marks such a runner as failed and does not try again, except for a quota.",
      do: 'Do what the message asks for. A pod without arc-primer is refused as well, if the message is about the template: try it with the annotation arc-primer.dev/skip: "true".',
    },
    "not-primed": {
      status: "fail",
      means: "The pod was created without arc-primer: it was not asked, did not answer, or answered too late.",
      do: "Mend what the checks of the webhook and of the replicas say. If they are all ✓, look into the API server's log for arc-primer.dev.",
    },
    "sidecar-lost": {
      status: "fail",
      means:
        "A webhook has taken restartPolicy: Always from the DinD container, which then is no sidecar: the pod waits for its end for ever.",
      do: "Find the mutating webhook with an old Kubernetes library (the check other-webhooks lists who sees runner pods), and upgrade it, or exclude the namespace.",
    },
    "nothing-applied": {
      status: "warn",
      means: "arc-primer was asked and had nothing to do, for the reasons given.",
      do: "If that is not intended, compare the reasons with docs/reference/reasons.md.",
    },
    "left-out": {
      status: "warn",
      means: "Something that the profile asks for could not be done, and someone has to look into it.",
      do: "docs/reference/reasons.md tells of the reason.",
    },
    "no-template": {
      status: "warn",
      means: "The scale set has no pod template, so it cannot be told what its pods are.",
      do: "Look at the AutoscalingRunnerSet's spec.template.",
    },
  },
  look: ({ trials, release }) => trials.map((trial) => resultOf(trial, release)),
});

function resultOf(trial: Trial, release: Readings["release"]): Finding<Codes> {
  const { scaleSet, namespace, pod, answer, primed } = trial;
  const name = `${namespace}/${scaleSet.metadata.name}`;
  if (!pod || !answer) return { problem: "no-template", what: `${name} has no pod template` };
  if ("failed" in answer) return { unknown: `${name}: ${answer.failed}` };
  const created = answer.object as (PodObject & { message?: string }) | undefined;
  if (answer.status !== 201) return refusal(name, answer.status, created?.message ?? "no reason given");
  if (primed?.decision.kind === "skip") {
    return {
      ok: `${name}: left alone, as the configuration says: ${explain(primed.decision.reason)} (${primed.decision.reason})`,
    };
  }
  const text = created?.metadata.annotations?.[statusAnnotation];
  if (primed?.mode === "audit") return { ok: `${name}: audit, so the pod is left as it came` };
  if (!release || text === undefined)
    return { problem: "not-primed", what: `${name}: the pod came out as ARC made it` };
  const lost = lostSidecars(pod, created);
  if (lost.length > 0)
    return { problem: "sidecar-lost", what: `${name}: ${listed(lost)} no longer has restartPolicy: Always` };
  return told(name, JSON.parse(text) as Status);
}

function refusal(name: string, status: number, message: string): Finding<Codes> {
  if (/does not support dry run/.test(message)) return { unknown: `${name}: ${message}` };
  if (status === 403 && /cannot create resource "pods"/.test(message)) {
    return {
      unknown: `${name}: pods may not be created as a dry run: ${message}`,
      do: "Bind the ClusterRole arc-primer-doctor-dry-run in that namespace (docs/operations/doctor.md).",
    };
  }
  if (status === 500 && /arc-primer\.dev/.test(message)) return { problem: "not-primed", what: `${name}: ${message}` };
  return { problem: "refused", what: `${name}: ${status}: ${message}` };
}

function lostSidecars({ spec }: NonNullable<Trial["pod"]>, created: PodObject | undefined): string[] {
  const now = created?.spec?.initContainers ?? [];
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return sidecars
    .map((container) => container.name)
    .filter((container) => now.some((one) => one.name === container && one.restartPolicy !== "Always"));
}

/** What the pod's own status says, in words. */
function told(name: string, { profile, problem, applied, skipped, notes = {} }: Status): Finding<Codes> {
  const why = Object.entries(skipped).map(
    ([mutation, reason]) => `${mutation} left out (${reason}: ${sentence(reason)})`,
  );
  const done = applied.length > 0 ? `applied ${listed(applied, 20)}` : "nothing applied";
  const what = [`${name}: profile ${profile}, ${done}`, ...why, ...(problem ? [sentence(problem)] : [])].join("; ");
  const codes = [...Object.values(skipped), ...Object.values(notes).flat(), ...(problem ? [problem] : [])];
  if (codes.some((code) => isCode(code) && needsAttention(code))) return { problem: "left-out", what };
  return applied.length > 0 ? { ok: what } : { problem: "nothing-applied", what };
}

function sentence(code: string): string {
  return isCode(code) ? explain(code satisfies Code) : "a reason that this version does not know";
}
