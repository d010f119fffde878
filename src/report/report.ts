import type { Outcome } from "../engine/run.ts";
import type { Primed } from "../engine/prime.ts";
import { explain, isProblem } from "./reasons.ts";
import type { Code } from "./reasons.ts";

/**
 * What was decided about a pod and why, for people: a headline and a line for each mutation and note.
 *
 * @param subject what the pod is called, `Pod arc-runners/linux-x64-abcde`
 */
export function report(subject: string, primed: Primed): string {
  const { decision, mode, outcomes, statusLeftOut } = primed;
  if (decision.kind === "skip") {
    return `${subject}: left as it came (${decision.reason})\n  ${explain(decision.reason)}\n`;
  }
  const audit = mode === "audit" ? " (mode: audit, so nothing is changed; this is what would be)" : "";
  return [
    `${subject}: profile ${decision.profile.name}${audit}`,
    ...(decision.problem ? [note(decision.problem)] : []),
    ...outcomes.flatMap(outcomeLines),
    ...(statusLeftOut ? [note("no-room-for-status")] : []),
    "",
  ].join("\n");
}

function outcomeLines(outcome: Outcome): string[] {
  const because = outcome.result === "skipped" ? ` (${outcome.reason})` : "";
  return [
    `  ${outcome.mutation}: ${outcome.result}${because}`,
    ...(outcome.result === "skipped" ? [`    ${explain(outcome.reason)}`] : []),
    ...outcome.notes.map((code) => `  ${note(code)}`),
  ];
}

function note(code: Code): string {
  return `  ${explain(code)} (${code})`;
}

/** Every code that a pod got, the problems among which become admission warnings. */
export function problemsOf({ decision, outcomes, statusLeftOut }: Primed): Code[] {
  const codes: Code[] = [
    ...(decision.kind === "skip" ? [decision.reason] : []),
    ...(decision.kind === "mutate" && decision.problem ? [decision.problem] : []),
    ...outcomes.flatMap((outcome) => [...(outcome.result === "skipped" ? [outcome.reason] : []), ...outcome.notes]),
    ...(statusLeftOut ? ["no-room-for-status" as const] : []),
  ];
  return codes.filter(isProblem);
}
