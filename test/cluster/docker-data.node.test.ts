import { expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { create, get, list, logs, remove, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhookForTests } from "./support/webhook-hooks.ts";

// Docker's data on a separate volume, and what happens if a job exceeds its limit.

// The kubelet of `bare` does not measure local storage, and a directory on that node would remain after the test.
const isKind = process.env["CLUSTER_PROVIDER"] !== "bare";

const data = (emptyDir: object) => ({ docker: { data: { emptyDir } } });
const profiles = {
  default: {},
  disk: data({ sizeLimit: "1Gi" }),
  memory: data({ sizeLimit: "1Gi", medium: "Memory" }),
  rootless: { docker: { inject: true, injected: { rootless: true }, data: { emptyDir: { sizeLimit: "1Gi" } } } },
  ephemeral: { docker: { data: { ephemeral: { storageClassName: "local-disk", size: "2Gi" } } } },
};
const allowedProfiles = ["disk", "memory", "rootless", "ephemeral"];
installWebhookForTests({ profiles, rules: [{ profile: "default", allowedProfiles }] }, "docker-data");

/** Creates the image `job:1` from programs of the runner's image. */
const makeImage = `
programs="/bin/sh /usr/bin/head /usr/bin/tail"
tar -chf - $programs $(ldd $programs | grep -o '/[^ )]*' | grep -v :$ | sort -u) | docker import - job:1 > /dev/null || exit 9
docker info --format 'root {{.DockerRootDir}}, {{.Driver}}'`;
/** Writes 1.5 GiB to a container's layer. The limit of the profiles is 1 GiB. */
const write = `docker run --rm job:1 sh -c 'head -c 1536M /dev/zero > /full && echo written || echo no room' 2>&1`;
const writeAndKeep = `docker run --detach job:1 sh -c 'head -c 1536M /dev/zero > /full; exec tail -f /dev/null' > /dev/null`;

const withProfile = (profile: string) => (pod: RunnerPod) => {
  pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": profile };
};

interface FailedPod extends RunnerPod {
  status: NonNullable<RunnerPod["status"]> & { reason?: string; message?: string };
}

const runsContainer = `${makeImage}\ndocker run --rm job:1 sh -c 'echo a container runs'`;

test.each(["disk", "memory"])("images are created and run on the volume: %s", async (profile) => {
  const job = runsContainer;
  const pod = await runnerPod(`runs-${profile}`, "docker-data", job, { change: withProfile(profile) });
  expect(pod.metadata.annotations?.[statusAnnotation]).toContain('"docker-data"');
  expect(containerNamed(pod, "dind").volumeMounts).toContainEqual(
    expect.objectContaining({ name: "arc-primer-docker-data", mountPath: "/var/lib/docker" }),
  );
  const { exitCode, log } = await ended(pod, 120);
  expect(log).toMatch(/root \/var\/lib\/docker, overlay\S*\na container runs\n$/);
  expect(exitCode).toBe(0);
});

test("a rootless dockerd creates and runs images on the volume", async () => {
  const pod = await runnerPod("runs-rootless", "docker-data", runsContainer, {
    layout: "default-mode",
    change: withProfile("rootless"),
  });
  expect(containerNamed(pod, "dind").volumeMounts).toContainEqual(
    expect.objectContaining({ name: "arc-primer-docker-data", mountPath: "/home/runner/.local/share" }),
  );
  const { exitCode, log } = await ended(pod, 120);
  expect(log).toMatch(/root \/home\/runner\/\.local\/share\/docker, overlay\S*\na container runs\n$/);
  expect(exitCode).toBe(0);
});

interface Claim extends Resource {
  spec: { volumeName?: string; storageClassName: string };
}

test.runIf(isKind)(
  "images are created and run on a generic ephemeral volume, which is deleted with the pod",
  async () => {
    // Stands for the volume that a provisioner would create.
    const volume = await create({
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "docker-data" },
      spec: {
        storageClassName: "local-disk",
        capacity: { storage: "3Gi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        hostPath: { path: "/var/lib/docker-data", type: "DirectoryOrCreate" },
      },
    });
    try {
      const pod = await runnerPod("runs-ephemeral", "docker-data", runsContainer, { change: withProfile("ephemeral") });
      const { exitCode, log } = await ended(pod, 120);
      expect(log).toMatch(/root \/var\/lib\/docker, overlay\S*\na container runs\n$/);
      expect(exitCode).toBe(0);
      const claims = await list<Claim>("PersistentVolumeClaim", "docker-data");
      expect(claims.map(({ metadata, spec }) => [metadata.name, spec.volumeName])).toEqual([
        ["runs-ephemeral-arc-primer-docker-data", "docker-data"],
      ]);
      await remove(pod, 0);
      await until(
        "the deletion of the claim",
        60,
        async () => (await list("PersistentVolumeClaim", "docker-data")).length === 0,
      );
    } finally {
      await remove(volume);
    }
  },
);

test.runIf(isKind)(
  "a job that fills the volume is evicted, and the reason names the volume",
  { timeout: 300_000 },
  async () => {
    const job = `${makeImage}\n${writeAndKeep}\nsleep 200`;
    const pod = await runnerPod("fills-disk", "docker-data", job, { change: withProfile("disk") });
    // The kubelet measures volumes once a minute.
    const { status } = await until("the eviction", 240, async () => {
      const now = await get<FailedPod>("Pod", "docker-data", "fills-disk");
      return now.status.phase === "Failed" && now;
    });
    expect(status.reason).toBe("Evicted");
    expect(status.message).toMatch(/arc-primer-docker-data.*exceeds the limit.*1Gi/);
    await remove(pod, 0);
  },
);

test("if the volume is in memory, the job itself gets a no-space error", { timeout: 180_000 }, async () => {
  const pod = await runnerPod("fills-memory", "docker-data", `${makeImage}\n${write}`, {
    change: withProfile("memory"),
  });
  const { exitCode, log } = await ended(pod, 150);
  expect(log).toMatch(/^no room$/m);
  expect(exitCode).toBe(0);
});

test.runIf(isKind)(
  "without the volume, Docker's data is not measured, so the pod's own limit has no effect",
  { timeout: 300_000 },
  async () => {
    const job = `${makeImage}\n${writeAndKeep}\nsleep 150\necho still here`;
    const pod = await runnerPod("uncounted", "docker-data", job, {
      change: (created) => {
        // All measured data, mostly the externals, takes 0.6 GiB. With the job's data it would be twice this limit.
        const limits = { "ephemeral-storage": "1Gi" };
        containerNamed(created, "dind").resources = { limits };
      },
    });
    await until("the end of the job", 240, async () =>
      (await logs("docker-data", "uncounted", "runner")).includes("still here"),
    );
    const { exitCode } = await ended(pod, 30);
    expect(exitCode).toBe(0);
  },
);
