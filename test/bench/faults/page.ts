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
    `Two replicas of the bundle run with self-managed certificates. Like a Service, one address forwards each connection to a ready replica; it checks readiness every 250 ms. A replica that exits is restarted. kube-apiserver and etcd are real; there is no node. Four clients create and delete pods without a pause: two in a namespace with \`failurePolicy: Ignore\` and two with \`Fail\`. Certificates are valid for 18 s, so they are renewed in every row. The API server trusted ${number(faults.cas)} CAs and ${number(faults.certificates)} certificates were served.`,
    table(
      ["trouble", "times", "Ignore: pods", "primed", "not primed", "refused", "Fail: pods", "primed", "refused"],
      faults.phases.map(({ fault, seconds, times, outcomes: { Ignore, Fail } }) => [
        `${fault}, for ${Math.round(seconds)} s`,
        times,
        ...[Ignore.pods, Ignore.primed, Ignore.unprimed, Ignore.rejected].map(number),
        ...[Fail.pods, Fail.primed, Fail.rejected].map(number),
      ]),
    ),
    "A review is lost if a replica is killed while it answers, or if no replica is ready. During a rollout, a few reviews in ten thousand are lost as well. It was not determined whether the replica or this test's own address closes a connection too early. When a review is lost, the pod is created as ARC made it (`Ignore`), or the API server answers 500 and ARC tries again (`Fail`). A replica that starts while its configuration is broken exits. If every replica were replaced at such a time, no replica would answer. A Deployment prevents that: it keeps the old replicas until new ones are ready.",
    "## Attacks on one process",
    "The webhook runs with the chart's settings (one process, 192 MB of heap). The attacks run one after another against the same process, so its memory includes what every attack leaves behind. Meanwhile another client sends ordinary reviews, each on a new connection. The goal: the process keeps running, stays under 300 MB, and answers 99 of 100 ordinary reviews within 500 ms.",
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
    "Responses that the attacking clients got:",
    attacked
      .map(({ attack, outcome }) => {
        const seen = Object.entries(outcome).map(([what, count]) => `${number(count)} × ${what}`);
        return `- ${attack}: ${seen.join(", ")}`;
      })
      .join("\n"),
    "## Generated pods through the engine",
    `${number(engine.pods)} pods, each made from a golden test pod with up to six changes, with one of the golden test configurations and one of the three Pod Security levels, took ${number(Math.round(engine.seconds))} s. ${number(engine.primed)} were primed; ${number(engine.malformed)} were not valid pods.`,
    table(
      ["", "pods"],
      [
        ["the engine or a mutation threw", engine.exceptions],
        ["the result was invalid, or a mutation was discarded because of that", engine.invalid],
        ["a second pass changed something", engine.secondPasses],
      ],
    ),
  ]);
}
