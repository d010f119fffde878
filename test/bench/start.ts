// npm run bench:start: the time from the request for a runner pod to the first line of run.sh, one pod at a time and several at
// once. Requires a cluster whose node is this machine (the provider `bare`), for the clock and the custom image. Settings (and
// defaults): BENCH_PODS (10) of each kind one at a time; BENCH_AT_ONCE (10) at once, BENCH_WAVES (3) times.

import { createNamespace } from "../cluster/support/kube.ts";
import { packageSource } from "../cluster/support/packages.ts";
import {
  installWebhook,
  pullImages,
  refuseIfInstalled,
  servingCertificate,
  uninstall,
} from "../cluster/support/stack.ts";
import { offerBundle } from "./start/bundle.ts";
import { cpu, cpuBetween } from "./start/cpu.ts";
import { configuration, inWaves, kinds, lacking, loadCustomImage } from "./start/kinds.ts";
import { measure, namespace } from "./start/measure.ts";
import { drawStart, writeStart } from "./start/page.ts";
import type { Wave } from "./start/page.ts";
import type { Start } from "./start/times.ts";
import { machine } from "./support/machine.ts";

const pods = Number(process.env["BENCH_PODS"] ?? 10);
const atOnce = Number(process.env["BENCH_AT_ONCE"] ?? 10);
const waves = Number(process.env["BENCH_WAVES"] ?? 3);

if (process.env["CLUSTER_PROVIDER"] !== "bare") throw new Error("this benchmark needs CLUSTER_PROVIDER=bare");
const noted = machine();
await refuseIfInstalled();
const source = await packageSource(...lacking);
try {
  loadCustomImage();
  await pullImages();
  const config = configuration(source);
  await installWebhook(JSON.stringify(config), await servingCertificate());
  await offerBundle("bundle", config);
  await createNamespace(namespace);
  const starts = await oneAtATime();
  const together = await severalAtOnce();
  await drawStart(starts);
  await writeStart(starts, together, { pods, atOnce, waves }, noted());
} finally {
  source.close();
  await uninstall();
}

/** Starts one pod at a time, alternating between the kinds. The first of each kind fills the caches and is not counted. */
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

/** Starts waves, alternating between the kinds. */
async function severalAtOnce(): Promise<Wave[]> {
  const all: Wave[] = [];
  for (let round = 0; round < waves; round += 1) {
    for (const [index, kind] of inWaves.entries()) {
      const names = Array.from({ length: atOnce }, (_, pod) => `wave-${index}-${round}-${pod}`);
      const before = cpu();
      const totals = (await measure(kind, names)).map(({ total }) => total);
      const used = cpuBetween(before, cpu());
      process.stderr.write(`${atOnce} at once, ${kind.name}: the last after ${Math.max(...totals).toFixed(2)} s\n`);
      all.push({ kind: kind.name, round, totals, cpu: used });
    }
  }
  return all;
}
