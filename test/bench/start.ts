// npm run bench:start: how long runner pods take from being asked for to the first line of run.sh, one at a time and
// several at once, and on a node without images. Needs a cluster whose node is this machine (the provider `bare`), for the
// clock and the images. BENCH_PODS (10) of each kind one at a time; BENCH_AT_ONCE (10) at once, BENCH_WAVES (3) times;
// BENCH_FRESH (3) of each kind on a fresh node.

import { spawnSync } from "node:child_process";
import { call, create, createNamespace, remove, until } from "../cluster/support/kube.ts";
import { packageSource } from "../cluster/support/packages.ts";
import { ended, prepareRunnerPod } from "../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../cluster/support/runner-pod.ts";
import {
  installWebhook,
  pullImages,
  refuseIfInstalled,
  servingCertificate,
  uninstall,
} from "../cluster/support/stack.ts";
import { statusAnnotation } from "../../src/report/status.ts";
import {
  changeFor,
  configuration,
  fillMirror,
  forgetImages,
  inWaves,
  kinds,
  lacking,
  loadCustomImage,
  onFreshNode,
} from "./start/kinds.ts";
import type { Kind } from "./start/kinds.ts";
import { drawStart, writeStart } from "./start/page.ts";
import type { Wave } from "./start/page.ts";
import { startOf } from "./start/times.ts";
import type { Start } from "./start/times.ts";
import { machine } from "./support/machine.ts";

const pods = Number(process.env["BENCH_PODS"] ?? 10);
const atOnce = Number(process.env["BENCH_AT_ONCE"] ?? 10);
const waves = Number(process.env["BENCH_WAVES"] ?? 3);
const fresh = Number(process.env["BENCH_FRESH"] ?? 3);
const namespace = "bench-start";

if (process.env["CLUSTER_PROVIDER"] !== "bare") throw new Error("this benchmark needs CLUSTER_PROVIDER=bare");
const noted = machine();
await refuseIfInstalled();
const source = await packageSource(...lacking);
try {
  loadCustomImage();
  await pullImages();
  await fillMirror();
  await installWebhook(JSON.stringify(configuration(source)), await servingCertificate());
  await createNamespace(namespace);
  const starts = await oneAtATime();
  const together = await severalAtOnce();
  const pulled = await withoutImages();
  await drawStart(starts);
  await writeStart({ starts, together, pulled }, { pods, atOnce, waves, fresh }, noted());
} finally {
  source.close();
  await uninstall();
}

/** The kinds in turn. The first of each kind is thrown away: it fills the caches. */
async function oneAtATime(): Promise<Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round <= pods; round += 1) {
    for (const [index, kind] of kinds.entries()) {
      const [start] = await measure(kind, [`start-${index}-${round}`]);
      const line = start!.line.map(({ what, from, to }) => `${what} ${from.toFixed(2)}-${to.toFixed(2)}`).join(", ");
      process.stderr.write(`${round}/${pods} ${kind.name}: ${start!.total.toFixed(2)} s (${line})\n`);
      if (round > 0) starts.push(start!);
    }
  }
  return starts;
}

/** A wave of each kind in turn. */
async function severalAtOnce(): Promise<Wave[]> {
  const all: Wave[] = [];
  for (let round = 0; round < waves; round += 1) {
    for (const [index, kind] of inWaves.entries()) {
      const names = Array.from({ length: atOnce }, (_, pod) => `wave-${index}-${round}-${pod}`);
      const totals = (await measure(kind, names)).map(({ total }) => total);
      process.stderr.write(`${atOnce} at once, ${kind.name}: the last after ${Math.max(...totals).toFixed(2)} s\n`);
      all.push({ kind: kind.name, round, totals });
    }
  }
  return all;
}

/** A pod of each kind in turn, each on a node that has none of its images. */
async function withoutImages(): Promise<Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round < fresh; round += 1) {
    for (const [index, kind] of onFreshNode.entries()) {
      forgetImages();
      spawnSync("sync");
      const [start] = await measure(kind, [`fresh-${index}-${round}`]);
      process.stderr.write(`fresh node, ${kind.name}: ${start!.total.toFixed(2)} s\n`);
      starts.push(start!);
    }
  }
  return starts;
}

/** Starts pods of one kind together, and removes them when all have ended. */
async function measure(kind: Kind, names: readonly string[]): Promise<Start[]> {
  const prepared = await Promise.all(
    names.map(async (name) => prepareRunnerPod(name, namespace, "echo run.sh", { change: changeFor(kind) })),
  );
  const starts = await Promise.all(prepared.map(async (pod) => run(kind, pod)));
  // What ten copies leave to be written to the disk is not the next one's to wait for.
  spawnSync("sync");
  return starts;
}

async function run(kind: Kind, prepared: RunnerPod): Promise<Start> {
  const { name } = prepared.metadata;
  const asked = Date.now() / 1000;
  const pod = await create(prepared);
  if (Boolean(pod.metadata.annotations?.[statusAnnotation]) !== Boolean(kind.profile)) {
    throw new Error(`${kind.name}: primed where it should not be, or the other way round`);
  }
  const { exitCode, log } = await ended(pod, 600);
  if (exitCode !== 0) throw new Error(`${kind.name} ended with exit code ${exitCode}: ${log}`);
  const start = await startOf(kind.name, pod, asked);
  if (Number.isNaN(start.total)) throw new Error(`${kind.name}: its logs lack a line: ${log}`);
  await remove(pod, 1);
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await until(`the end of ${name}`, 120, async () => (await call("GET", path)).status === 404);
  return start;
}
