import { spawnSync } from "node:child_process";
import { statusAnnotation } from "../../../src/report/status.ts";
import { call, create, remove, until } from "../../cluster/support/kube.ts";
import { ended, prepareRunnerPod } from "../../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../../cluster/support/runner-pod.ts";
import { changeFor } from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import { startOf } from "./times.ts";
import type { Start } from "./times.ts";

/** Where the pods of these benchmarks are. */
export const namespace = "bench-start";

/** Starts pods of one kind together, and removes them when all have ended. */
export async function measure(kind: Kind, names: readonly string[]): Promise<Start[]> {
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
  if (kind.says && !kind.says.test(log)) throw new Error(`${kind.name} is not what was to be measured: ${log}`);
  const start = await startOf(kind.name, pod, asked);
  if (Number.isNaN(start.total)) throw new Error(`${kind.name}: its logs lack a line: ${log}`);
  await remove(pod, 1);
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await until(`the end of ${name}`, 120, async () => (await call("GET", path)).status === 404);
  return start;
}
