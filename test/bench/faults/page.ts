import type { Faults } from "../../cluster/support/faults.ts";
import type { Machine } from "../support/machine.ts";
import { page, table } from "../support/page.ts";
import type { EngineResult } from "./engine.ts";
import type { Attacked } from "./fuzz.ts";

const number = (value: number) => value.toLocaleString("en-US");

interface Results {
  readonly faults: Faults;
  readonly attacked: readonly Attacked[];
  readonly engine: EngineResult;
}

/** Writes docs/reliability.md. */
export async function writeReliability({ faults, attacked, engine }: Results, machine: Machine) {
  await page("../reliability", "Reliability", "npm run bench:faults", machine, [
    "## Pods on a real API server",
    `Two replicas of the bundle, with self-managed certificates, behind one address that passes each connection to a replica that is ready (looked at every 250 ms), as a Service does. A replica that ends is started again. kube-apiserver and etcd are real; there is no node. Four clients create and delete pods without a pause, two in a namespace with \`failurePolicy: Ignore\` and two with \`Fail\`. Certificates live for 18 s, so they are renewed in every row: the API server trusted ${number(faults.authorities)} CAs and ${number(faults.certificates)} certificates were served.`,
    table(
      ["trouble", "times", "Ignore: pods", "primed", "not primed", "refused", "Fail: pods", "primed", "refused"],
      faults.phases.map(({ trouble, seconds, times, outcomes: { Ignore, Fail } }) => [
        `${trouble}, for ${Math.round(seconds)} s`,
        times,
        ...[Ignore.pods, Ignore.primed, Ignore.unprimed, Ignore.refused].map(number),
        ...[Fail.pods, Fail.primed, Fail.refused].map(number),
      ]),
    ),
    "A review is lost where a replica dies while it answers, and where none is ready. In a rollout a few in ten thousand are lost as well; whether the replica or this test's own address closes a connection too early was not found. `Ignore` then creates the pod as ARC made it; `Fail` answers 500, and ARC tries again. A replica that starts while its configuration is broken exits, so if every replica is replaced at such a time, nobody answers. A Deployment does not do that: it keeps the old replicas until new ones are ready.",
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
  ]);
}
