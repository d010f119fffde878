import type { Machine } from "../support/machine.ts";
import { median, page, picture, table } from "../support/page.ts";
import type { Cpu } from "./cpu.ts";
import { bundled, idleInit } from "./kinds.ts";
import type { Start } from "./times.ts";

const s = (value: number) => value.toFixed(2);

/** For each kind, the pod whose start took the median time, or the next shorter one. */
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
            x: { field: "from", type: "quantitative", title: "seconds since the pod was requested" },
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

/** Pods of one kind that were started at once: the seconds that each took, and the processor time of all. */
export interface Wave {
  readonly kind: string;
  readonly round: number;
  readonly totals: readonly number[];
  readonly cpu: Cpu;
}

/** The number of measurements of each kind. */
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
  // The pods of a round are started one after another, so other load on the machine affects all of them.
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
  const volume = "primed, externals as a volume";
  const [floor, byHand] = ["the kubelet's floor", "the same by hand"];
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
  const n = (value: number) => (Number.isNaN(value) ? "" : s(value));

  await page("start", "Start time of runner pods", "npm run bench:start", measured, [
    "![Timeline of one pod of each kind](start.svg)",
    `All times are seconds from the request that creates a pod to the first line of \`run.sh\`, on the one-node cluster of \`test/cluster/bare\`. Its runner and DinD images are stand-ins ([how they differ](../contributing/test-bed.md)); the externals have the real size (585 MB, 9,060 files). The images are already on the node. Times come from the container runtime's log timestamps.`,
    table(
      ["compared with the goals", "one at a time", `${counts.atOnce} at once, the last`, "goal"],
      [
        ["externals as a volume, relative to stock", s(ratio(volume)), s(lastRatio(volume)), "≤ 0.2"],
        [
          "externals as a volume, relative to the kubelet's floor",
          s(ratio(volume, floor)),
          s(lastRatio(volume, floor)),
          "≤ 1.5",
        ],
        [
          "externals as a volume, relative to the same by hand",
          s(ratio(volume, byHand)),
          s(lastRatio(volume, byHand)),
          "",
        ],
        [
          "four packages from a bundle, seconds more than without packages",
          s(more(bundled.name, volume)),
          s(lastMore(bundled.name, volume)),
          "≤ 0.7",
        ],
        [
          "four packages from a bundle, seconds more than with an init container that does nothing",
          s(more(bundled.name, idleInit.name)),
          s(lastMore(bundled.name, idleInit.name)),
          "",
        ],
        ["externals copied (the default), relative to stock", s(ratio("primed")), s(lastRatio("primed")), ""],
      ],
    ),
    "The stock pod copies the runner's externals in an init container, and its startup probe checks every 5 s. A primed pod with default settings copies them as well, so it saves at most what the probe costs. Use `docker.externals: volume` to avoid the copy. The custom image contains four packages and a loop that checks for Docker once per second; its pod copies the externals, too. The kubelet's floor is a pod with a sidecar and a container from the same images that do nothing.",
    'A primed pod with the volume takes longer than the floor because dockerd has to start, which no webhook can change: `run.sh` begins a few hundredths of a second after dockerd answers (last columns below). "The same by hand" is a pod template with an image volume and a loop around `docker version` before `run.sh`, without arc-primer. It takes as long. If several pods start at once, their dockerd processes share the two cores.',
    "The four packages come from a repository next to the node. apt also queries the image's own package sources, which answer immediately that they have nothing.",
    "The bundle contains the same four packages. The chart's own pods build and serve it on the same node, and runner pods do not query the package repository. If several pods start at once, they compete for the two cores (see [processor time](#processor-time)). Ten pods with an init container that does nothing already miss the goal, because runc, containerd, the kubelet and the API server have work with each container, and share the two cores with ten dockerd processes. In a real cluster, the API server and etcd run on other machines. The [decision on package bundles](../decisions/0020-package-bundles.md) explains why the init container is still needed.",
    "[A start on a fresh node](fresh-node.md) shows the time on a node that has to pull the images.",
    "## One at a time",
    `${counts.pods} pods of each kind were started, alternating between the kinds. The times are medians. The ratio is relative to the stock pod of the same round. No image is pulled through the mirror: the test measures the cost of setting dockerd's flag and of providing the files for BuildKit and Dagger.`,
    table(
      [
        "kind",
        "to run.sh",
        "fastest",
        "slowest",
        "ratio",
        "from dockerd ready to run.sh",
        "from dockerd and runner container ready to run.sh",
      ],
      [...groups].map(([kind, group]) => [
        kind,
        s(of(kind, "total")),
        s(Math.min(...group.map(({ total }) => total))),
        s(Math.max(...group.map(({ total }) => total))),
        s(ratio(kind)),
        n(of(kind, "afterDocker")),
        // A stock runner container logs nothing before run.sh.
        kind === "stock" ? "" : n(of(kind, "afterBoth")),
      ]),
    ),
    `## ${counts.atOnce} at once`,
    `${counts.waves} ${counts.waves === 1 ? "wave" : "waves"} of each kind ${counts.waves === 1 ? "was" : "were"} started, alternating between the kinds. The times are medians over the waves. The ratio compares the last pods of a wave.`,
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
    "### Processor time",
    `Seconds of processor time that a wave of ${counts.atOnce} pods used until all of them were removed, medians over the waves. "Everything else" is runc, containerd's shims, the kernel's work for them, and the benchmark itself.`,
    table(
      ["kind", "processes in the pods", "kubelet and containerd", "API server, etcd, controllers", "everything else"],
      [...together].map(([kind, group]) => {
        const used = (key: keyof Cpu) => median(group.map(({ cpu }) => cpu[key]));
        const [pods, node, controlPlane] = [used("pods"), used("node"), used("controlPlane")];
        return [
          kind,
          ...[pods, node, controlPlane, used("total") - pods - node - controlPlane].map((value) => value.toFixed(1)),
        ];
      }),
    ),
  ]);
}
