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
    "Every decision has a code. The pod's status annotation, the log, the metrics, the audit annotation, admission warnings `arc-primer render` and [`arc-primer explain`](../guides/explain.md) use the same ones. The setting is the one that decides: a path is one of the [configuration](configuration.md), in the profile if nothing else is said; a part of the pod is one of the scale set's template. Where the last column says yes, someone has to look into it: the API server also returns the sentence as a warning, and the log line has the level `warn`.",
    "## Why a pod was left as it came",
    '`reason` of `arc_primer_decisions_total`, with `decision="skip"`.',
    codes(podReasons),
    "## Why a mutation changed nothing",
    'The pod\'s status lists these under `skipped`, all but `not-configured`; in the metrics they are `reason` of `arc_primer_mutations_total`, with `result="skipped"`.',
    codes(mutationReasons),
    "## The settings of the mutations",
    "What asks for each, and what switches it off; for `not-configured`, `already-there` and `disabled` these decide.",
    table(
      ["mutation", "what it does", "asked for by", "switched off by"],
      Object.entries(mutationTexts).map(([name, { does, setting, switch: off }]) => [
        `\`${name}\``,
        does,
        `\`${setting}\``,
        off === undefined ? "" : `\`${off}: false\``,
      ]),
    ),
    "## What else was noticed",
    "Notes on a mutation that was applied, or on the choice of the profile.",
    codes(notes),
  );
}

function settingCell({ where, name }: Decider): string {
  switch (where) {
    case "profile":
      return `\`${name}\``;
    case "mutation":
      return "[of the mutation](#the-settings-of-the-mutations)";
    case "namespace":
      return `\`${name}\`, a label of the namespace`;
    case "registration":
      return `\`${name}\` of the registration`;
    case "configuration":
      return `\`${name}\``;
    case "bug":
      return "none";
    default:
      return `in the pod: ${name}`;
  }
}
