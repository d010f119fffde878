import { spawnSync } from "node:child_process";
import { statusAnnotation } from "../../../src/report/status.ts";
import { call, create, remove, until } from "../../cluster/support/kube.ts";
import { ended, prepareRunnerPod } from "../../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../../cluster/support/runner-pod.ts";
import { changeFor } from "./kinds.ts";
import type { Kind } from "./kinds.ts";
import { startOf } from "./times.ts";
import type { Start } from "./times.ts";

/** The namespace of the pods of these benchmarks. */
export const namespace = "bench-start";

/** Starts pods of one kind at once, and deletes them when all have finished. */
export async function measure(kind: Kind, names: readonly string[]): Promise<Start[]> {
  const prepared = await Promise.all(
    names.map(async (name) => prepareRunnerPod(name, namespace, "echo run.sh", { change: changeFor(kind) })),
  );
  const starts = await Promise.all(prepared.map(async (pod) => run(kind, pod)));
  // Write the data of these pods to the disk now, so that the next pods do not have to wait for it.
  spawnSync("sync");
  return starts;
}

async function run(kind: Kind, prepared: RunnerPod): Promise<Start> {
  const { name } = prepared.metadata;
  const asked = Date.now() / 1000;
  const pod = await create(prepared);
  if (Boolean(pod.metadata.annotations?.[statusAnnotation]) !== Boolean(kind.profile)) {
    throw new Error(
      `${kind.name}: the pod was primed although it should not be, or was not primed although it should be`,
    );
  }
  const { exitCode, log } = await ended(pod, 600);
  if (exitCode !== 0) throw new Error(`${kind.name}: the pod exited with code ${exitCode}: ${log}`);
  if (kind.says && !kind.says.test(log))
    throw new Error(`${kind.name}: the log does not contain ${kind.says.source}: ${log}`);
  const start = await startOf(kind.name, pod, asked);
  if (Number.isNaN(start.total)) throw new Error(`${kind.name}: a line is missing in the logs: ${log}`);
  await remove(pod, 1);
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  await until(`the end of ${name}`, 120, async () => (await call("GET", path)).status === 404);
  return start;
}
