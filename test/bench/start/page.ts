import type { Machine } from "../support/machine.ts";
import { median, page, picture, table } from "../support/page.ts";
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

export async function writeStart(starts: readonly Start[], pods: number, measured: Machine): Promise<void> {
  const groups = Map.groupBy(starts, ({ kind }) => kind);
  const of = (kind: string, key: "total" | "afterDocker" | "afterBoth") =>
    median((groups.get(kind) ?? []).map((one) => one[key]));
  // Pods of one round follow each other, so what disturbs the machine disturbs them together.
  const ratio = (kind: string) =>
    median(
      (groups.get(kind) ?? []).map(({ total }, round) => total / (groups.get("stock")?.[round]?.total ?? Number.NaN)),
    );
  await page("start", "What a start costs", "npm run bench:start", measured, [
    "![The time line of one pod of each kind](start.svg)",
    `${pods} pods of each kind, one at a time, the kinds in turn, on a one-node cluster of \`test/cluster/bare\` whose runner and DinD images are stand-ins ([how they differ](../contributing/test-bed.md)), with externals of the real size. \`run.sh\` is one line. Times are those that the container runtime notes for log lines; the picture shows the pod of each kind that took the median time. The mirror is never asked: what is measured is to give dockerd its flag, and BuildKit and Dagger their files. The custom image has the four packages baked in, and a loop that looks for Docker once a second; its pod has no startup probe.`,
    table(
      ["against the aims", "measured", "aim"],
      [
        ["pod start, primed against stock", s(ratio("primed")), "≤ 0.5"],
        ["pod start, four packages, against stock without them", s(ratio("primed, four packages")), "≤ 1.0"],
        [
          "from both dockerd and the runner container being up to `run.sh`, primed",
          `${(of("primed", "afterBoth") * 1000).toFixed(0)} ms`,
          "≤ 100 ms",
        ],
      ],
    ),
    "Medians in seconds; the ratio is to the stock pod of the same round.",
    table(
      [
        "kind",
        "asked for to run.sh",
        "fastest",
        "slowest",
        "ratio",
        "dockerd answering to run.sh",
        "both up to run.sh",
      ],
      [...groups].map(([kind, group]) => [
        kind,
        s(of(kind, "total")),
        s(Math.min(...group.map(({ total }) => total))),
        s(Math.max(...group.map(({ total }) => total))),
        s(ratio(kind)),
        s(of(kind, "afterDocker")),
        // A stock runner container says nothing before run.sh.
        kind === "stock" ? "" : s(of(kind, "afterBoth")),
      ]),
    ),
  ]);
}
