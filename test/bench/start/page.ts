import type { Machine } from "../support/machine.ts";
import { median, page, picture, table } from "../support/page.ts";
import { bundled } from "./kinds.ts";
import type { Start } from "./times.ts";

const s = (value: number) => value.toFixed(2);

/** The pod of each kind whose start took the median time, or the one just below. */
function typical(starts: readonly Start[]): Start[] {
  return [...Map.groupBy(starts, ({ kind }) => kind).values()].map((group) => {
    const sorted = group.toSorted((a, b) => a.total - b.total);
    return sorted[(sorted.length - 1) >> 1]!;
  });
}

export async function drawStart(starts: readonly Start[]): Promise<void> {
  const values = typical(starts).flatMap(({ kind, line }) => line.map((stretch) => ({ kind, ...stretch })));
  const jobs = typical(starts).map(({ kind, total }) => ({ kind, what: "run.sh", from: total }));
  const header = { labelOrient: "top", labelAnchor: "start", labelFontSize: 12, labelFontWeight: "bold" } as const;
  const y = { field: "what", type: "nominal", title: null, sort: null, axis: { labelLimit: 300 } } as const;
  await picture("start", {
    data: { values: [...values, ...jobs] },
    facet: { row: { field: "kind", title: null, sort: typical(starts).map(({ kind }) => kind), header } },
    resolve: { scale: { y: "independent", x: "shared" } },
    spec: {
      width: 520,
      height: { step: 17 },
      layer: [
        {
          transform: [{ filter: "isValid(datum.to)" }],
          mark: { type: "bar", height: 11 },
          encoding: {
            x: { field: "from", type: "quantitative", title: "seconds since the pod was asked for" },
            x2: { field: "to" },
            y,
            color: { field: "what", legend: null, scale: { scheme: "tableau10" } },
          },
        },
        {
          transform: [{ filter: "!isValid(datum.to)" }],
          mark: { type: "point", shape: "diamond", filled: true, size: 110, color: "black" },
          encoding: { x: { field: "from", type: "quantitative" }, y },
        },
      ],
    },
  });
}

/** Pods of one kind that were started at once: the seconds that each took. */
export interface Wave {
  readonly kind: string;
  readonly round: number;
  readonly totals: readonly number[];
}

/** How often each was measured. */
export interface Counts {
  readonly pods: number;
  readonly atOnce: number;
  readonly waves: number;
}

/** Writes docs/benchmarks/start.md. */
export async function writeStart(
  starts: readonly Start[],
  waves: readonly Wave[],
  counts: Counts,
  measured: Machine,
): Promise<void> {
  const groups = Map.groupBy(starts, ({ kind }) => kind);
  const of = (kind: string, key: "total" | "afterDocker" | "afterBoth") =>
    median((groups.get(kind) ?? []).map((one) => one[key]));
  // Pods of one round follow each other, so what disturbs the machine disturbs them together.
  const ratio = (kind: string, to = "stock") =>
    median((groups.get(kind) ?? []).map(({ total }, round) => total / (groups.get(to)?.[round]?.total ?? Number.NaN)));

  const together = Map.groupBy(waves, ({ kind }) => kind);
  const last = ({ totals }: Wave) => Math.max(...totals);
  const lastRatio = (kind: string, to = "stock") =>
    median(
      (together.get(kind) ?? []).map((wave, round) => {
        const other = together.get(to)?.[round];
        return other ? last(wave) / last(other) : Number.NaN;
      }),
    );
  // Seconds more than another kind, in the same rounds.
  const more = (kind: string, than: string) =>
    median(
      (groups.get(kind) ?? []).map(({ total }, round) => total - (groups.get(than)?.[round]?.total ?? Number.NaN)),
    );
  const lastMore = (kind: string, than: string) =>
    median(
      (together.get(kind) ?? []).map((wave, round) => {
        const other = together.get(than)?.[round];
        return other ? last(wave) - last(other) : Number.NaN;
      }),
    );
  const [volume, floor] = ["primed, externals as a volume", "the kubelet's floor"];
  const n = (value: number) => (Number.isNaN(value) ? "" : s(value));

  await page("start", "What a start costs", "npm run bench:start", measured, [
    "![The time line of one pod of each kind](start.svg)",
    `Seconds from the request that creates a pod to the first line of \`run.sh\`, on the one-node cluster of \`test/cluster/bare\`. Its runner and DinD images are stand-ins ([how they differ](../contributing/test-bed.md)); the externals have the real size (585 MB, 9,060 files). Images are on the node. Times are those that the container runtime notes for log lines.`,
    table(
      ["against the aims", "one at a time", `${counts.atOnce} at once, the last`, "aim"],
      [
        ["externals as a volume, against stock", s(ratio(volume)), s(lastRatio(volume)), "≤ 0.2"],
        [
          "externals as a volume, against the kubelet's floor",
          s(ratio(volume, floor)),
          s(lastRatio(volume, floor)),
          "≤ 1.5",
        ],
        [
          "four packages from a bundle, seconds more than without packages",
          s(more(bundled.name, volume)),
          s(lastMore(bundled.name, volume)),
          "≤ 0.7",
        ],
        ["externals copied (the default), against stock", s(ratio("primed")), s(lastRatio("primed")), ""],
      ],
    ),
    "The stock pod copies the runner's externals in an init container, and its startup probe looks every 5 s. A primed pod without more settings copies as well, and starts no sooner than the stock pod here: the copy outweighs what the probe costs. Use `docker.externals: volume`. The custom image has four packages baked in and a loop that looks for Docker once a second; it copies too. The floor is a pod with a sidecar and a container of the same images that have nothing to do.",
    "What a primed pod with the volume takes beyond the floor is the time that dockerd takes to boot, which is not ours to change: `run.sh` begins a few hundredths of a second after dockerd answers (last columns below).",
    "The packages of the bundle are the same four. The chart's own pods build and serve it on the same node, and the package repository is never asked for it by runner pods.",
    "Four packages without a bundle cost more here than elsewhere: this cluster has no way out, and apt tries the image's own package sources several times before it goes on with the profile's. Where they answer, or `apt.mirrors` redirects them, that is not so.",
    "## One at a time",
    `${counts.pods} pods of each kind, the kinds in turn. Medians; the ratio is to the stock pod of the same round. The mirror is never asked: what is measured is to give dockerd its flag, and BuildKit and Dagger their files.`,
    table(
      ["kind", "to run.sh", "fastest", "slowest", "ratio", "dockerd answers to run.sh", "both up to run.sh"],
      [...groups].map(([kind, group]) => [
        kind,
        s(of(kind, "total")),
        s(Math.min(...group.map(({ total }) => total))),
        s(Math.max(...group.map(({ total }) => total))),
        s(ratio(kind)),
        n(of(kind, "afterDocker")),
        // A stock runner container says nothing before run.sh.
        kind === "stock" ? "" : n(of(kind, "afterBoth")),
      ]),
    ),
    `## ${counts.atOnce} at once`,
    `${counts.waves} waves of each kind, the kinds in turn. Medians over the waves; the ratio is of the last pods of a wave.`,
    table(
      ["kind", "first", "median", "last", "ratio"],
      [...together].map(([kind, group]) => [
        kind,
        s(median(group.map(({ totals }) => Math.min(...totals)))),
        s(median(group.map(({ totals }) => median(totals)))),
        s(median(group.map(last))),
        s(lastRatio(kind)),
      ]),
    ),
  ]);
}
