// The burst, a part of npm run bench:start: runner pods created as fast as the API server accepts them, alternating between one
// and two replicas of the webhook. The pods do not have to start, so no node can run them. Settings (and defaults): BENCH_BURST
// (1000) pods, BENCH_BURSTS (3) times with each number of replicas.

import { stringify } from "yaml";
import { statusAnnotation } from "../../src/report/status.ts";
import { call, createNamespace, list, tryCreate, until } from "../cluster/support/kube.ts";
import type { Resource } from "../cluster/support/kube.ts";
import { containerNamed } from "../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../cluster/support/runner-pod.ts";
import {
  installWebhook,
  patchDeployment,
  refuseIfInstalled,
  rolledOut,
  servingCertificate,
  uninstall,
} from "../cluster/support/stack.ts";
import { goldenPod } from "../support/pods.ts";
import { bucketsOf, failedOpen } from "./burst/api-server.ts";
import { drawBurst, writeBurst } from "./burst/page.ts";
import type { Burst } from "./burst/page.ts";
import { sampler } from "./burst/samples.ts";
import { machine } from "./support/machine.ts";
import { median } from "./support/page.ts";

const pods = Number(process.env["BENCH_BURST"] ?? 1000);
const rounds = Number(process.env["BENCH_BURSTS"] ?? 3);
const inFlight = 100;
const namespace = "bench-burst";
const mirror = { "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }] } };
const configuration = {
  apiVersion: "arc-primer.dev/v1alpha1",
  kind: "PrimerConfiguration",
  profiles: { default: { registries: mirror } },
};

const noted = machine();
await refuseIfInstalled();
try {
  await installWebhook(stringify(configuration), await servingCertificate());
  await createNamespace(namespace);
  await wave("warm", 50);
  await clear();
  const bursts: Burst[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const replicas of [1, 2]) bursts.push(await burst(replicas, round));
  }
  await drawBurst(bursts);
  await writeBurst(bursts, inFlight, noted());
} finally {
  await uninstall();
}

async function burst(replicas: number, round: number): Promise<Burst> {
  await patchDeployment({ spec: { replicas } });
  await rolledOut();
  const before = { buckets: await bucketsOf(), open: await failedOpen() };
  const samples = sampler();
  const { seconds, milliseconds, primed } = await wave(`r${replicas}-${round}`, pods);
  const seen = await samples.stop();
  const after = { buckets: await bucketsOf(), open: await failedOpen() };
  await clear();
  process.stderr.write(`${replicas} replicas: ${primed} of ${pods} primed, ${seconds.toFixed(1)} s\n`);
  return {
    replicas,
    pods,
    primed,
    seconds,
    milliseconds: { median: median(milliseconds), slowest: Math.max(...milliseconds) },
    buckets: after.buckets.map(({ to, count }, index) => ({ to, count: count - (before.buckets[index]?.count ?? 0) })),
    failedOpen: after.open - before.open,
    samples: seen,
  };
}

/** Creates pods, `inFlight` at a time. */
async function wave(prefix: string, count: number) {
  const milliseconds: number[] = [];
  let [next, primed] = [0, 0];
  const began = performance.now();
  const worker = async () => {
    while (next < count) {
      const pod = unschedulable(`${prefix}-${next++}`);
      const asked = performance.now();
      const { status, body } = await tryCreate(pod);
      milliseconds.push(performance.now() - asked);
      if (status !== 201) throw new Error(`creating a pod: ${status} ${JSON.stringify(body)}`);
      if (body.metadata.annotations?.[statusAnnotation]?.includes('"applied":["wait-for-docker"')) primed += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { seconds: (performance.now() - began) / 1000, milliseconds, primed };
}

function unschedulable(name: string): RunnerPod {
  const { spec, metadata } = goldenPod("dind-sidecar") as unknown as RunnerPod;
  const { labels = {}, annotations = {} } = metadata;
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels, annotations }, spec } as RunnerPod;
  Object.assign(spec, { nodeSelector: { "arc-primer.dev/bench": "nowhere" }, serviceAccountName: "default" });
  Object.assign(spec, { automountServiceAccountToken: false });
  spec.volumes = (spec.volumes ?? []).filter((volume) => !volume.name.startsWith("kube-api-access"));
  for (const { name: container } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const one = containerNamed(pod, container);
    one.volumeMounts = (one.volumeMounts ?? []).filter((mount) => !mount.name.startsWith("kube-api-access"));
  }
  return pod;
}

async function clear(): Promise<void> {
  await call("DELETE", `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`);
  await until("the end of the pods", 120, async () => (await list<Resource>("Pod", namespace)).length === 0);
}
