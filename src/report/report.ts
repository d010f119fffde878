import { reported } from "./decision.ts";
import type { Outcome, Primed } from "./decision.ts";
import { explain } from "./reasons.ts";
import type { Code } from "./reasons.ts";

/**
 * A human-readable report of the decision about a pod and its reasons: a headline, and a line for each mutation and note.
 *
 * @param subject the kind and name of the pod, such as `Pod arc-runners/linux-x64-abcde`
 * @param options.all also lists the mutations that the profile does not configure
 */
export function report(subject: string, primed: Primed, options: { readonly all?: boolean } = {}): string {
  const { decision, mode, outcomes, statusLeftOut } = primed;
  if (decision.kind === "skip") {
    const field = decision.field === undefined ? "" : ` The first invalid field is ${decision.field}.`;
    return `${subject}: left unchanged (${decision.reason})\n  ${explain(decision.reason)}${field}\n`;
  }
  const audit = mode === "audit" ? " (mode: audit, so the pod is not changed; this shows what would be done)" : "";
  return [
    `${subject}: profile ${decision.profile}${audit}`,
    ...(decision.problem ? [note(decision.problem)] : []),
    ...(options.all ? outcomes : reported(outcomes)).flatMap(outcomeLines),
    ...(statusLeftOut ? [note("no-room-for-status")] : []),
    "",
  ].join("\n");
}

function outcomeLines({ mutation, result, reason, notes }: Outcome): string[] {
  return [
    `  ${mutation}: ${result}${reason ? ` (${reason})` : ""}`,
    ...(reason ? [`    ${explain(reason)}`] : []),
    ...notes.map((code) => `  ${note(code)}`),
  ];
}

function note(code: Code): string {
  return `  ${explain(code)} (${code})`;
}
