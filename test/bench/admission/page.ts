import type { Machine } from "../support/machine.ts";
import { median, page, picture, table } from "../support/page.ts";
import type { Measured } from "./load.ts";

export interface Run extends Measured {
  readonly server: string;
  readonly round: number;
  /** The approximate size of the review in bytes. */
  readonly size: number;
  readonly connections: number;
}

/** Resident memory of one process, in MB. */
export interface Heap {
  readonly rest: number;
  readonly peak: number;
  readonly after: number;
}

export interface Results {
  readonly runs: Run[];
  /** By the variables of the environment, `NAME=value`: first those of the manifests, then Node.js' defaults. */
  readonly heap: readonly { readonly options: readonly string[]; readonly rounds: Heap[] }[];
  /** From process start to the first answer. */
  readonly first: readonly { name: string; milliseconds: number[] }[];
  /** Milliseconds for a new TLS connection. */
  readonly handshake: readonly { name: string; rounds: { latency: number; cpu: number }[] }[];
  readonly seconds: number;
  readonly rounds: number;
  /** The reviews' exact sizes. */
  readonly bytes: readonly number[];
}

const kilo = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
const ms = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const base = "node:https, constant";

/** The median over the rounds of the ratio between two servers under the same load in the same round. */
function ratio(runs: readonly Run[], one: Run, key: "perSecond" | "cpu"): number {
  const same = runs.filter(({ size, connections }) => size === one.size && connections === one.connections);
  const of = (server: string, round: number) =>
    same.find((run) => run.server === server && run.round === round)?.[key] ?? Number.NaN;
  const rounds = [...new Set(same.map(({ round }) => round))];
  return median(rounds.map((round) => of(one.server, round) / of(base, round)));
}

/** One entry for each server under each load: the medians of its rounds. */
function medians(runs: readonly Run[]) {
  const groups = Map.groupBy(runs, ({ server, size, connections }) => JSON.stringify([size, connections, server]));
  return [...groups.values()].map((group) => {
    const of = (key: keyof Measured) => median(group.map((run) => run[key]));
    const one = group[0]!;
    const ratios = { ratio: ratio(runs, one, "perSecond"), cpuRatio: ratio(runs, one, "cpu") };
    return { ...one, ...ratios, perSecond: of("perSecond"), p50: of("p50"), p99: of("p99"), cpu: of("cpu") };
  });
}

function memoryOf(rounds: readonly Heap[]) {
  return {
    rest: median(rounds.map(({ rest }) => rest)),
    peak: Math.max(...rounds.map(({ peak }) => peak)),
    after: median(rounds.map(({ after }) => after)),
  };
}

export async function drawAdmission({ runs }: Results): Promise<void> {
  const values = medians(runs).map(({ size, connections, server, perSecond }) => ({
    load: `${connections} at a time`,
    review: `${kilo(size)} review`,
    server,
    perSecond,
  }));
  const header = { labelFontSize: 13 };
  await picture("admission", {
    data: { values },
    facet: { column: { field: "review", title: null, sort: [...new Set(values.map(({ review }) => review))], header } },
    resolve: { scale: { y: "independent" } },
    spec: {
      width: 210,
      height: 200,
      mark: "bar",
      encoding: {
        x: { field: "load", sort: null, title: null, axis: { labelAngle: 0 } },
        xOffset: { field: "server", sort: null },
        y: { field: "perSecond", type: "quantitative", title: "requests per second, one core" },
        color: {
          field: "server",
          sort: null,
          title: null,
          legend: { labelLimit: 300 },
          scale: { range: ["#2f6fdf", "#b8bcc4", "#8a8f99"] },
        },
      },
    },
  });
}

function environment(options: readonly string[]): string {
  return options.map((option) => `\`${option}\``).join(", ") || "Node.js' defaults";
}

export async function writeAdmission(results: Results, measured: Machine): Promise<void> {
  const { runs, heap, first, handshake, seconds, rounds, bytes } = results;
  const rows = medians(runs);
  const aimed = rows.find(
    ({ server, connections, size }) => server === "arc-primer" && connections === 8 && size === runs[0]!.size,
  )!;
  const start = median(first[0]!.milliseconds);
  const shipped = memoryOf(heap[0]!.rounds);
  await page("admission", "Cost of an admission review", "npm run bench:admission", measured, [
    "![Requests per second](admission.svg)",
    `The released bundle runs with ${environment(heap[0]!.options)}, as set in its manifest. Over HTTPS with keep-alive, it primes the pod of \`test/golden/dind-sidecar\` in reviews like those of kube-apiserver (${bytes.join(", ")} bytes; the larger ones are padded with variables, annotations and managedFields). It is compared with servers that run with Node.js' defaults, read the body and return a constant response of the same size. The server runs on one core, and the load generator on another.`,
    table(
      ["compared with the goals", "measured", "goal"],
      [
        [
          "requests per second, 7 kB, 8 at a time, relative to the constant `node:https`",
          aimed.ratio.toFixed(2),
          "≥ 0.25",
        ],
        ["the same, by CPU time (less affected by other programs)", (1 / aimed.cpuRatio).toFixed(2), ""],
        ["peak memory under that load", `${shipped.peak.toFixed(0)} MB`, "≤ 130 MB"],
        ["idle memory", `${shipped.rest.toFixed(0)} MB`, "≤ 80 MB"],
        ["process start to first answer", `${start.toFixed(0)} ms`, "≤ 400 ms"],
      ],
    ),
    "## Under load",
    `Medians of ${rounds} interleaved rounds of ${seconds} s. Ratios are to the constant \`node:https\` in the same round. There is one ratio for requests per second and one for the server's CPU time per request, which other programs on the machine affect less.`,
    table(
      ["review", "at a time", "server", "requests/s", "ratio", "p50 ms", "p99 ms", "CPU ms/request", "CPU ratio"],
      rows.map((one) => [
        kilo(one.size),
        one.connections,
        one.server,
        one.perSecond.toFixed(0),
        one.ratio.toFixed(2),
        ms(one.p50),
        ms(one.p99),
        one.cpu.toFixed(3),
        one.cpuRatio.toFixed(1),
      ]),
    ),
    "## Memory",
    `Resident memory of fresh processes (10^6 bytes), ${rounds} of each, in turn. The columns show the median before the first review (idle), the highest value of any process under 7 kB reviews, 8 at a time (peak), and the median 2 s later (after).`,
    table(
      ["environment", "idle", "peak", "after"],
      heap.map((one) => {
        const { rest, peak, after } = memoryOf(one.rounds);
        return [environment(one.options), ...[rest, peak, after].map((value) => `${value.toFixed(0)} MB`)];
      }),
    ),
    "## Start and connections",
    `_First answer_ is the time from the start of the process to its first response to a review: the median of ${first[0]!.milliseconds.length} interleaved starts. _Connection_ is the time that a client needs for a new TLS connection (ECDSA P-256, without session resumption), and _CPU_ is the server's CPU time for it: medians of ${rounds} interleaved rounds of 300.`,
    table(
      ["server", "first answer", "fastest", "slowest", "connection", "CPU"],
      first.map(({ name, milliseconds }, index) => {
        const shakes = handshake[index]!.rounds;
        return [
          name,
          `${median(milliseconds).toFixed(0)} ms`,
          `${Math.min(...milliseconds).toFixed(0)} ms`,
          `${Math.max(...milliseconds).toFixed(0)} ms`,
          `${ms(median(shakes.map(({ latency }) => latency)))} ms`,
          `${ms(median(shakes.map(({ cpu }) => cpu)))} ms`,
        ];
      }),
    ),
  ]);
}
