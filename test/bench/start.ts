// npm run bench:start: how long runner pods take from being asked for to the first line of run.sh. Needs a cluster whose
// node is this machine (the provider `bare`), for the clock and the custom image. BENCH_PODS (10) of each kind.

import { call, create, createNamespace, remove, until } from "../cluster/support/kube.ts";
import { packageSource } from "../cluster/support/packages.ts";
import { ended, prepareRunnerPod } from "../cluster/support/runner-pod.ts";
import {
  installWebhook,
  pullImages,
  refuseIfInstalled,
  servingCertificate,
  uninstall,
} from "../cluster/support/stack.ts";
import { statusAnnotation } from "../../src/report/status.ts";
import { changeFor, configuration, kinds, lacking, loadCustomImage } from "./start/kinds.ts";
import type { Kind } from "./start/kinds.ts";
import { drawStart, writeStart } from "./start/page.ts";
import { startOf } from "./start/times.ts";
import type { Start } from "./start/times.ts";
import { machine } from "./support/machine.ts";

const pods = Number(process.env["BENCH_PODS"] ?? 10);
const namespace = "bench-start";

if (process.env["CLUSTER_PROVIDER"] !== "bare") throw new Error("this benchmark needs CLUSTER_PROVIDER=bare");
const noted = machine();
await refuseIfInstalled();
const source = await packageSource(...lacking);
try {
  loadCustomImage();
  await pullImages();
  await installWebhook(JSON.stringify(configuration(source)), await servingCertificate());
  await createNamespace(namespace);
  const starts = await measure();
  await drawStart(starts);
  await writeStart(starts, pods, noted());
} finally {
  source.close();
  await uninstall();
}

/** One pod at a time, the kinds in turn. The first of each kind is thrown away: it fills the caches. */
async function measure(): Promise<Start[]> {
  const starts: Start[] = [];
  for (let round = 0; round <= pods; round += 1) {
    for (const [index, kind] of kinds.entries()) {
      const start = await one(kind, `start-${index}-${round}`);
      process.stderr.write(`${round}/${pods} ${kind.name}: ${start.total.toFixed(2)} s\n`);
      if (round > 0) starts.push(start);
    }
  }
  return starts;
}

async function one(kind: Kind, name: string): Promise<Start> {
  const prepared = await prepareRunnerPod(name, namespace, "echo run.sh", { change: changeFor(kind) });
  const asked = Date.now() / 1000;
  const pod = await create(prepared);
  if (Boolean(pod.metadata.annotations?.[statusAnnotation]) !== Boolean(kind.profile)) {
    throw new Error(`${kind.name}: primed where it should not be, or the other way round`);
  }
  const { exitCode, log } = await ended(pod, 120);
  if (exitCode !== 0) throw new Error(`${kind.name} ended with exit code ${exitCode}: ${log}`);
  const start = await startOf(kind.name, pod, asked);
  if (Number.isNaN(start.total + start.afterDocker)) throw new Error(`${kind.name}: its logs lack a line: ${log}`);
  await remove(pod, 1);
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await until(`the end of ${name}`, 60, async () => (await call("GET", path)).status === 404);
  return start;
}
