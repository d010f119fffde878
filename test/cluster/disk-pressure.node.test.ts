import { afterAll, beforeAll, expect, test } from "vitest";
import { create, createNamespace, get, logs, remove, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { clusterScript } from "./support/script.ts";
import { installWebhook, pullImages, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// Which pod the kubelet evicts when a job's Docker fills the disk of the node, without docker.data. With it, the job's own
// pod is evicted at its limit: docker-data.node.test.ts.
// The disk is not filled: the kubelet's limit is a few GiB below what is free, and the job takes more than that.

// It needs a disk on which nothing else is freed or taken by the GiB meanwhile, so it runs when it is asked for, and on kind:
//   DISK_PRESSURE=1 npm run test:cluster -- node disk-pressure
const isAsked = process.env["DISK_PRESSURE"] === "1" && (process.env["CLUSTER_PROVIDER"] ?? "kind") === "kind";
const evictBelow = (limit: string) => clusterScript("kind/evict-below.sh", limit);
let installing = false;

beforeAll(async () => {
  if (!isAsked) return;
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: { default: {} },
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("disk-pressure");
}, 900_000);
afterAll(async () => {
  if (!installing) return;
  evictBelow("0%");
  await uninstall();
});

/**
 * Takes 4 GiB of the node's disk in a container's own layer, and when the kubelet has had time to see them (it looks at the
 * sizes of volumes once a minute), 2 GiB more.
 */
const job = `
programs="/bin/sh /usr/bin/fallocate /usr/bin/tail"
tar -chf - $programs $(ldd $programs | grep -o '/[^ )]*' | grep -v :$ | sort -u) | docker import - job:1 > /dev/null || exit 9
docker run --detach job:1 sh -c 'fallocate -l 4G /some && exec tail -f /dev/null' > /dev/null || exit 8
sleep 90
docker run --detach job:1 sh -c 'fallocate -l 2G /more && exec tail -f /dev/null' > /dev/null || exit 8
sleep 300`;

/** A pod of somebody else's, with 2 GiB in an emptyDir. */
function neighbour(name: string): Resource {
  const script = "fallocate -l 2G /data/file && echo at work && exec sleep 300";
  const container = {
    name: "main",
    image: "ghcr.io/actions/actions-runner:latest",
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", script],
    securityContext: { runAsUser: 0 },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "disk-pressure" },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [container],
      volumes: [{ name: "data", emptyDir: {} }],
    },
  };
}

test.runIf(isAsked)("the kubelet evicts another pod and not the job's", { timeout: 400_000 }, async () => {
  const namespace = "disk-pressure";
  evictBelow(`-${7 * 2 ** 30}`); // the neighbour and the job take 8 GiB, and the job's externals 0.6
  const other = await create(neighbour("neighbour"));
  const runner = await runnerPod("job", namespace, job);
  try {
    await until("the neighbour at work", 120, async () =>
      (await logs(namespace, other.metadata.name, "main")).includes("at work"),
    );
    const { status } = await until("an eviction", 240, async () => {
      const pods = await Promise.all(["neighbour", "job"].map((name) => get<EvictedPod>("Pod", namespace, name)));
      return pods.find(({ status: one }) => one.phase === "Failed");
    });
    const { status: left } = await get<EvictedPod>("Pod", namespace, "job");
    process.stderr.write(`  ${status.reason}: ${status.message}\n`);
    expect(left.phase).toBe("Running");
    expect(await get<EvictedPod>("Pod", namespace, "neighbour")).toMatchObject({
      status: {
        phase: "Failed",
        reason: "Evicted",
        message: expect.stringContaining("low on resource: ephemeral-storage"),
      },
    });
  } finally {
    evictBelow("0%");
    for (const pod of [other, runner]) await remove(pod, 0);
  }
});

interface EvictedPod extends RunnerPod {
  status: NonNullable<RunnerPod["status"]> & { reason?: string; message?: string };
}
