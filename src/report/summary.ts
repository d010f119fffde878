import { reported } from "./decision.ts";
import type { Primed } from "./decision.ts";
import { needsAttention } from "./reasons.ts";
import type { Code } from "./reasons.ts";

/** The decision for the log and the audit log, with the same keys as in the status annotation. */
export function summary({ decision, mode, outcomes }: Primed): object {
  if (decision.kind === "skip") {
    const { reason, field } = decision;
    return { decision: "skip", reason, ...(field !== undefined && { field }) };
  }
  const shown = reported(outcomes);
  return {
    decision: "mutate",
    mode,
    profile: decision.profile,
    ...(decision.problem && { problem: decision.problem }),
    applied: shown.filter(({ result }) => result === "applied").map(({ mutation }) => mutation),
    skipped: Object.fromEntries(shown.flatMap(({ mutation, reason }) => (reason ? [[mutation, reason]] : []))),
  };
}

/** The codes that need attention. They become admission warnings. */
export function warningCodes({ decision, outcomes, statusLeftOut }: Primed): Code[] {
  const codes: (Code | undefined)[] = [
    decision.reason,
    decision.problem,
    ...outcomes.flatMap(({ reason, notes }) => [reason, ...notes]),
    ...(statusLeftOut ? (["no-room-for-status"] as const) : []),
  ];
  return codes.filter((code) => code !== undefined).filter(needsAttention);
}
