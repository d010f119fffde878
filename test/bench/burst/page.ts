import type { Machine } from "../support/machine.ts";
import { median, page, picture, table } from "../support/page.ts";
import type { Bucket } from "./api-server.ts";
import type { Sample } from "./samples.ts";

export interface Burst {
  readonly replicas: number;
  readonly pods: number;
  readonly primed: number;
  readonly seconds: number;
  /** The time that the creation of a pod took for the client. */
  readonly milliseconds: { readonly median: number; readonly slowest: number };
  readonly buckets: readonly Bucket[];
  readonly failedOpen: number;
  readonly samples: readonly Sample[];
}

const titleOf = ({ replicas }: Burst) => `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;

/** The number of cores that a replica used between two samples. */
function usage({ samples }: Burst) {
  return [...Map.groupBy(samples, ({ pod }) => pod).values()].flatMap((own, replica) =>
    own.map((sample, index) => {
      const before = own[index - 1];
      const cores = before ? (sample.cpu - before.cpu) / (sample.seconds - before.seconds) : 0;
      return { ...sample, cores, replica: `replica ${replica + 1}` };
    }),
  );
}

/** The bursts, grouped by the number of replicas. */
function byReplicas(bursts: readonly Burst[]): [string, Burst[]][] {
  return [...Map.groupBy(bursts, titleOf)];
}

/** The burst that took the median time. For an even number, the longer of the two in the middle. */
function middle(bursts: readonly Burst[]): Burst {
  return bursts.toSorted((a, b) => a.seconds - b.seconds)[bursts.length >> 1]!;
}

/** Seconds of CPU time of all replicas together. */
function processorTime({ samples }: Burst): number {
  return sum([...Map.groupBy(samples, ({ pod }) => pod).values()].map((own) => own.at(-1)!.cpu - own[0]!.cpu));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

export async function drawBurst(bursts: readonly Burst[]): Promise<void> {
  const values = byReplicas(bursts).flatMap(([run, same]) => usage(middle(same)).map((sample) => ({ run, ...sample })));
  const panel = (field: "cores" | "memory", title: string) =>
    ({
      width: 250,
      height: 140,
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "seconds", type: "quantitative", title: "seconds" },
        y: { field, type: "quantitative", title },
        color: { field: "replica", title: null },
      },
    }) as const;
  const facet = { column: { field: "run", title: null, header: { labelFontSize: 13 } } } as const;
  await picture("burst", {
    data: { values },
    vconcat: [
      { facet, spec: panel("cores", "cores in use") },
      { facet, spec: panel("memory", "resident MB") },
    ],
  });
}

export async function writeBurst(bursts: readonly Burst[], inFlight: number, measured: Machine): Promise<void> {
  const runs = byReplicas(bursts);
  const bounds = bursts[0]!.buckets.map(({ to }) => to);
  await page("burst", "A burst of runner pods", "npm run bench:start", measured, [
    "![CPU and memory of the webhook](burst.svg)",
    `${bursts[0]!.pods} runner pods created by ${inFlight} clients at a time, on the one-node cluster of \`test/cluster/bare\`, where the API server, etcd, the scheduler, the webhook and the client share the machine. No node can run the pods, so only their creation is measured. ${runs[0]![1].length} bursts ran with each number of replicas, in turn. The table shows the medians of their times, the highest memory of any replica, and the CPU time of all replicas together. The chart shows the bursts that took the median time.`,
    table(
      [
        "webhook",
        "primed",
        "took",
        "pods/s",
        "creation, median",
        "creation, slowest",
        "failed webhook calls",
        "peak memory",
        "CPU",
      ],
      runs.map(([title, same]) => [
        title,
        `${sum(same.map(({ primed }) => primed))} of ${sum(same.map(({ pods }) => pods))}`,
        `${median(same.map(({ seconds }) => seconds)).toFixed(1)} s`,
        median(same.map(({ pods, seconds }) => pods / seconds)).toFixed(0),
        `${median(same.map(({ milliseconds }) => milliseconds.median)).toFixed(0)} ms`,
        `${Math.max(...same.map(({ milliseconds }) => milliseconds.slowest)).toFixed(0)} ms`,
        sum(same.map(({ failedOpen }) => failedOpen)),
        `${Math.max(...same.flatMap(({ samples }) => samples.map(({ memory }) => memory))).toFixed(0)} MB`,
        `${median(same.map(processorTime)).toFixed(2)} s`,
      ]),
    ),
    "Webhook calls in all bursts by duration in seconds, from the API server's histogram `apiserver_admission_webhook_admission_duration_seconds`:",
    table(
      ["webhook", ...bounds.map((to) => (to === "+Inf" ? "more" : `≤ ${to}`))],
      runs.map(([title, same]) => [
        title,
        ...bounds.map((_, index) => sum(same.map(({ buckets }) => buckets[index]?.count ?? 0))),
      ]),
    ),
  ]);
}
