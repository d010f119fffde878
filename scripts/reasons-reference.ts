import { notes } from "../src/report/notes.ts";
import { needsAttention, mutationReasons, podReasons } from "../src/report/reasons.ts";
import type { Code } from "../src/report/reasons.ts";
import { deciders } from "../src/report/deciders.ts";
import type { Decider } from "../src/report/deciders.ts";
import { mutationTexts } from "../src/report/mutation-texts.ts";
import { page, table } from "./markdown.ts";

/** The page docs/reference/reasons.md. */
export function reasonsReference(): string {
  const codes = (sentences: Readonly<Partial<Record<Code, string>>>) =>
    table(
      ["code", "meaning", "setting", "warning"],
      Object.entries(sentences).map(([code, sentence]) => [
        `\`${code}\``,
        sentence,
        settingCell(deciders[code as Code]),
        needsAttention(code as Code) ? "yes" : "",
      ]),
    );
  return page(
    "# Reasons",
    "<!-- Written by npm run generate, from src/report. -->",
    "Every decision has a code. The pod's status annotation, the log, the metrics, the audit annotation, admission warnings, `arc-primer render` and [`arc-primer explain`](../guides/explain.md) use the same codes. The third column is the setting that decides. A path is a setting of the [configuration](configuration.md), usually in the profile. A part of the pod is set in the scale set's template. A code with yes in the last column needs attention: the API server also returns the sentence as a warning, and the log line has the level `warn`.",
    "## Why a pod was left unchanged",
    'In the metrics, these are the values of `reason` in `arc_primer_decisions_total` with `decision="skip"`.',
    codes(podReasons),
    "## Why a mutation changed nothing",
    'The pod\'s status lists these under `skipped`, except `not-configured`. In the metrics, they are the values of `reason` in `arc_primer_mutations_total` with `result="skipped"`.',
    codes(mutationReasons),
    "## The settings of the mutations",
    "The setting that enables each mutation, and the setting that disables it. For the codes `not-configured`, `already-there` and `disabled`, these settings decide.",
    table(
      ["mutation", "what it does", "enabled by", "disabled by"],
      Object.entries(mutationTexts).map(([name, { does, setting, switch: off }]) => [
        `\`${name}\``,
        does,
        `\`${setting}\``,
        off === undefined ? "" : `\`${off}: false\``,
      ]),
    ),
    "## Notes",
    "Notes give additional information about a mutation that was applied, or about the choice of the profile.",
    codes(notes),
  );
}

function settingCell({ where, name }: Decider): string {
  switch (where) {
    case "profile":
      return `\`${name}\``;
    case "mutation":
      return "[the mutation's setting](#the-settings-of-the-mutations)";
    case "namespace":
      return `\`${name}\`, a label of the namespace`;
    case "registration":
      return `\`${name}\` of the webhook configuration`;
    case "configuration":
      return `\`${name}\``;
    case "bug":
      return "none";
    default:
      return `in the pod: ${name}`;
  }
}
