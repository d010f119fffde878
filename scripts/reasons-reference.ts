import { notes } from "../src/report/notes.ts";
import { isProblem, mutationReasons, podReasons } from "../src/report/reasons.ts";
import type { Code } from "../src/report/reasons.ts";
import { page, table } from "./markdown.ts";

/** The page docs/reference/reasons.md. */
export function reasonsReference(): string {
  const codes = (sentences: Readonly<Partial<Record<Code, string>>>) =>
    table(
      ["code", "meaning", "warning"],
      Object.entries(sentences).map(([code, sentence]) => [
        `\`${code}\``,
        sentence,
        isProblem(code as Code) ? "yes" : "",
      ]),
    );
  return page(
    "# Reasons",
    "<!-- Written by npm run generate, from src/report. -->",
    "Every decision has a code. The pod's status annotation, the log, the metrics, the audit annotation, admission warnings and `arc-primer render` use the same ones. Where the last column says yes, someone has to look into it: the API server also returns the sentence as a warning, and the log line has the level `warn`.",
    "## Why a pod was left as it came",
    '`reason` of `arc_primer_decisions_total`, with `decision="skip"`.',
    codes(podReasons),
    "## Why a mutation changed nothing",
    'The pod\'s status lists these under `skipped`, all but `not-configured`; in the metrics they are `reason` of `arc_primer_mutations_total`, with `result="skipped"`.',
    codes(mutationReasons),
    "## What else was noticed",
    "Notes on a mutation that was applied, or on the choice of the profile.",
    codes(notes),
  );
}
