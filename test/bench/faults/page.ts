import type { Machine } from "../support/machine.ts";
import { page, table } from "../support/page.ts";
import type { EngineResult } from "./engine.ts";
import type { Attacked } from "./fuzz.ts";

const number = (value: number) => value.toLocaleString("en-US");

/** Writes docs/reliability.md. */
export async function writeReliability(engine: EngineResult, attacked: readonly Attacked[], machine: Machine) {
  await page("../reliability", "Reliability", "npm run bench:faults", machine, [
    "## Attacks on one process",
    "The webhook runs as the chart starts it (one process, 192 MB of heap). The attacks run one after the other against the same process, so its memory is the sum of what they leave behind. Meanwhile another client sends ordinary reviews, each on a new connection. The aim: the process stays alive, stays under 300 MB, and answers 99 of 100 ordinary reviews within 500 ms.",
    table(
      ["attack", "reviews meanwhile", "not answered", "median ms", "99th percentile", "slowest", "peak MB", "alive"],
      attacked.map(({ attack, reviews, failed, median, p99, slowest, peak, alive }) => [
        attack,
        reviews,
        failed,
        median,
        p99,
        slowest,
        peak,
        alive ? "yes" : "**no**",
      ]),
    ),
    "What the attackers saw:",
    attacked
      .map(({ attack, outcome }) => {
        const seen = Object.entries(outcome).map(([what, count]) => `${number(count)} × ${what}`);
        return `- ${attack}: ${seen.join(", ")}`;
      })
      .join("\n"),
    "## Generated pods through the engine",
    `${number(engine.pods)} pods, each a golden one with up to six changes, under one of the golden configurations and one of the three Pod Security levels, took ${number(Math.round(engine.seconds))} s. ${number(engine.primed)} were primed; ${number(engine.malformed)} were no pods.`,
    table(
      ["", "pods"],
      [
        ["the engine or a mutation threw", engine.exceptions],
        ["came out unsound, or a mutation was discarded for that", engine.invalid],
        ["a second pass changed something", engine.secondPasses],
      ],
    ),
    "## Not measured yet",
    "Ten minutes of creating pods on a real API server while the webhook is killed, rolled, given new certificates and broken configuration.",
  ]);
}
