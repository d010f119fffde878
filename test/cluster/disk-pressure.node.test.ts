import { afterAll, expect, test } from "vitest";
import { create, get, logs, remove, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { clusterScript } from "./support/script.ts";
import { installWebhookForTests } from "./support/webhook-hooks.ts";

// Tests which pod the kubelet evicts if Docker's data fills the node's disk and docker.data is not set. With docker.data, the
// job's own pod is evicted at its limit: docker-data.node.test.ts. The disk is not really filled: the kubelet's eviction
// threshold is set a few GiB below the free space, and the job writes more than that.

// Nothing else may write or free several GiB on the disk during the test. So it runs only on request, and only on kind:
//   DISK_PRESSURE=1 npm run test:cluster -- node disk-pressure
const isRequested = process.env["DISK_PRESSURE"] === "1" && (process.env["CLUSTER_PROVIDER"] ?? "kind") === "kind";
const evictBelow = (limit: string) => clusterScript("kind/evict-below.sh", limit);

if (isRequested) {
  installWebhookForTests({ profiles: { default: {} } }, "disk-pressure");
  afterAll(() => void evictBelow("0%"));
}

/** Writes 4 GiB to a container's layer, waits until the kubelet has measured them (once a minute), and writes 2 GiB more. */
const job = `
programs="/bin/sh /usr/bin/fallocate /usr/bin/tail"
tar -chf - $programs $(ldd $programs | grep -o '/[^ )]*' | grep -v :$ | sort -u) | docker import - job:1 > /dev/null || exit 9
docker run --detach job:1 sh -c 'fallocate -l 4G /some && exec tail -f /dev/null' > /dev/null || exit 8
sleep 90
docker run --detach job:1 sh -c 'fallocate -l 2G /more && exec tail -f /dev/null' > /dev/null || exit 8
sleep 300`;

/** An unrelated pod with 2 GiB in an emptyDir. */
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

test.runIf(isRequested)(
  "the kubelet evicts an unrelated pod, and not the job's pod",
  { timeout: 400_000 },
  async () => {
    const namespace = "disk-pressure";
    evictBelow(`-${7 * 2 ** 30}`); // the neighbour and the job write 8 GiB, and the job's externals take 0.6 GiB
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
  },
);

interface EvictedPod extends RunnerPod {
  status: NonNullable<RunnerPod["status"]> & { reason?: string; message?: string };
}
