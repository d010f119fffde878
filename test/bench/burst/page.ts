import type { Machine } from "../support/machine.ts";
import { page, picture, table } from "../support/page.ts";
import type { Bucket } from "./api-server.ts";
import type { Sample } from "./samples.ts";

export interface Burst {
  readonly replicas: number;
  readonly pods: number;
  readonly primed: number;
  readonly seconds: number;
  /** As the client saw the creation of a pod. */
  readonly milliseconds: { readonly median: number; readonly slowest: number };
  readonly buckets: readonly Bucket[];
  readonly failedOpen: number;
  readonly samples: readonly Sample[];
}

const titleOf = ({ replicas }: Burst) => `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;

/** Cores that a replica used between two looks. */
function usage({ samples }: Burst) {
  return [...Map.groupBy(samples, ({ pod }) => pod).values()].flatMap((own, replica) =>
    own.map((sample, index) => {
      const before = own[index - 1];
      const cores = before ? (sample.cpu - before.cpu) / (sample.seconds - before.seconds) : 0;
      return { ...sample, cores, replica: `replica ${replica + 1}` };
    }),
  );
}

export async function drawBurst(bursts: readonly Burst[]): Promise<void> {
  const values = bursts.flatMap((burst) => usage(burst).map((sample) => ({ run: titleOf(burst), ...sample })));
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
  const bounds = bursts[0]!.buckets.map(({ to }) => to);
  await page("burst", "A burst of runner pods", "npm run bench:start", measured, [
    "![Processor and memory of the webhook](burst.svg)",
    `${bursts[0]!.pods} runner pods created by ${inFlight} clients at a time, on the one-node cluster of \`test/cluster/bare\`, where API server, etcd, the scheduler, the webhook and the client share the machine. No node fits the pods, so that nothing else is measured.`,
    table(
      [
        "webhook",
        "primed",
        "took",
        "pods/s",
        "creation, median",
        "creation, slowest",
        "webhook not reached",
        "memory at the most",
        "CPU",
      ],
      bursts.map((burst) => {
        const used = [...Map.groupBy(burst.samples, ({ pod }) => pod).values()].map(
          (own) => own.at(-1)!.cpu - own[0]!.cpu,
        );
        return [
          titleOf(burst),
          `${burst.primed} of ${burst.pods}`,
          `${burst.seconds.toFixed(1)} s`,
          (burst.pods / burst.seconds).toFixed(0),
          `${burst.milliseconds.median.toFixed(0)} ms`,
          `${burst.milliseconds.slowest.toFixed(0)} ms`,
          burst.failedOpen,
          `${Math.max(...burst.samples.map(({ memory }) => memory)).toFixed(0)} MB`,
          used.map((seconds) => `${seconds.toFixed(2)} s`).join(" + "),
        ];
      }),
    ),
    "Calls of the webhook by the seconds that they took, as the API server's own histogram has them (`apiserver_admission_webhook_admission_duration_seconds`):",
    table(
      ["webhook", ...bounds.map((to) => (to === "+Inf" ? "more" : `≤ ${to}`))],
      bursts.map((burst) => [titleOf(burst), ...burst.buckets.map(({ count }) => count)]),
    ),
  ]);
}
