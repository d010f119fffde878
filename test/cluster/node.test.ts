import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import type { KeyPair } from "../../src/tls/certificate.ts";
import { call, createNamespace, get, list, logs, remove, tryCreate, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import {
  installRegistry,
  installWebhook,
  metric,
  patchDeployment,
  pullImages,
  refuseIfInstalled,
  register,
  rolledOut,
  servingCertificate,
  uninstall,
  webhookPods,
  writeSecret,
} from "./support/stack.ts";
import { goldenPod } from "../support/pods.ts";

// Tests with a real node, a real dockerd in the runner pod, and a real registry. The webhook runs in a pod, from its image.

const firstLine = 'docker version --format "docker {{.Server.Version}}" || exit 9\necho run.sh done';
const neverDocker = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"];
const status = (pod: Resource) => pod.metadata.annotations?.[statusAnnotation];

let installing = false; // if true, there may be something to remove
let certificate: KeyPair;
let registry: Awaited<ReturnType<typeof installRegistry>>;

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  certificate = await servingCertificate();
  registry = await installRegistry();
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { registries: { "docker.io": { mirrors: [{ url: `http://${registry.address}` }] } } },
      impatient: { extends: "default", docker: { wait: { timeout: "4s" } } },
    },
    rules: [{ namespaces: ["impatient"], profile: "impatient" }],
  };
  await installWebhook(JSON.stringify(configuration), certificate);
  await createNamespace("runners");
  await createNamespace("impatient");
  await createNamespace("unlabelled", {});
}, 900_000);
afterAll(async () => {
  if (installing) await uninstall();
});

describe("1. Docker is available on the first line of run.sh", () => {
  test("in a stock DinD pod with a native sidecar", async () => {
    const pod = await runnerPod("sidecar", "runners", firstLine);
    expect(status(pod)).toContain(
      '"applied":["wait-for-docker","registry-mirror","buildkit-mirrors","dagger-mirrors"]',
    );
    expect(containerNamed(pod, "dind").startupProbe).toBeUndefined();
    const { exitCode, log } = await ended(pod);
    expect(log).toMatch(/arc-primer: ready to start after \d+\.\d\d s\ndocker \d+\.\S+\nrun\.sh done\n$/);
    expect(exitCode).toBe(0);
  });

  const slow = (pod: RunnerPod) => {
    const dind = containerNamed(pod, "dind");
    dind.command = ["sh", "-c", `sleep 4; exec ${(dind.args ?? []).join(" ").replace("$(DOCKER_GROUP_GID)", "123")}`];
    delete dind.args;
    // The template sets no wait: without this variable, the image does not wait either.
    const runner = containerNamed(pod, "runner");
    runner.env = (runner.env ?? []).filter(({ name }) => name !== "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS");
  };

  test("in a pod with an ordinary DinD container and a dockerd that starts slowly", async () => {
    const pod = await runnerPod("slow-primed", "runners", firstLine, { layout: "dind-container", change: slow });
    const { exitCode, log } = await ended(pod);
    expect(log).toContain("waiting for Docker at unix:///var/run/docker.sock");
    expect(log).toContain("run.sh done");
    expect(exitCode).toBe(0);
    await remove(pod, 0);
  });

  test("while the same pod fails without priming", async () => {
    const pod = await runnerPod("slow-unprimed", "unlabelled", firstLine, { layout: "dind-container", change: slow });
    expect(status(pod)).toBeUndefined();
    const { exitCode, log } = await ended(pod);
    expect(log).toMatch(/(cannot|failed to) connect to the docker/i); // Docker 20 to 28, and 29
    expect(exitCode).toBe(9);
    await remove(pod, 0);
  });
});

describe("2. Docker never becomes available", () => {
  test("exit code 42 at the timeout, run.sh is never started, and the log and the termination message show the reason", async () => {
    const pod = await runnerPod("never", "impatient", firstLine, {
      layout: "dind-container",
      change: (one) => Object.assign(containerNamed(one, "dind"), { command: neverDocker, args: undefined }),
    });
    const { exitCode, log, message, startedAt, finishedAt } = await ended(pod);
    expect(exitCode).toBe(42);
    expect(log).not.toContain("run.sh done");
    expect(log).toContain("did not respond within 4 s; last error: the socket /var/run/docker.sock does not exist");
    expect(message).toMatch(/^arc-primer: failed: docker-timeout: .* did not respond within 4 s/);
    const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000; // the kubelet rounds to seconds
    expect(seconds).toBeGreaterThanOrEqual(3);
    expect(seconds).toBeLessThanOrEqual(6);
    await remove(pod, 0);
  });
});

describe("3. SIGTERM while waiting", () => {
  test("stops the pod immediately, not after the grace period", async () => {
    const pod = await runnerPod("terminated", "runners", firstLine, {
      layout: "dind-container",
      change: (one) => {
        Object.assign(containerNamed(one, "dind"), { command: neverDocker, args: undefined });
        one.spec.terminationGracePeriodSeconds = 60;
      },
    });
    await until("the wait", 30, async () =>
      (await logs("runners", "terminated", "runner")).includes("waiting for Docker"),
    );
    const deleted = performance.now();
    await remove(pod);
    await until(
      "the deletion of the pod",
      60,
      async () => (await call("GET", "/api/v1/namespaces/runners/pods/terminated")).status === 404,
    );
    const seconds = (performance.now() - deleted) / 1000;
    process.stderr.write(`  the pod was gone ${seconds.toFixed(1)} s after its deletion\n`);
    expect(seconds).toBeLessThan(10);
  });
});

describe("4. A pull in the pod is served by the mirror", () => {
  const requests = async () =>
    (await logs(registry.namespace, registry.pod, "registry"))
      .split("\n")
      .filter((line) => line.includes("/v2/library/hello/"));

  test("as the registry's own log shows", async () => {
    const before = (await requests()).length;
    const pod = await runnerPod(
      "pull",
      "runners",
      "docker pull --quiet hello:1 || exit 9\ndocker image ls --format '{{.Repository}}:{{.Tag}}'",
    );
    const { exitCode, log } = await ended(pod);
    expect(log).toMatch(/\nhello:1\n$/);
    expect(exitCode).toBe(0);
    const lines = (await requests()).slice(before).join("\n");
    expect(lines).toMatch(/\/v2\/library\/hello\/manifests\/1/);
    expect(lines).toMatch(/\/v2\/library\/hello\/blobs\/sha256:/);
  });
});

describe("5. The webhook is down", () => {
  test("the pod is created unchanged; when the webhook is back, pods are primed again", async () => {
    await patchDeployment({ spec: { replicas: 0 } });
    await until("the exit of the webhook", 60, async () => (await webhookPods()).length === 0);
    const down = await unscheduled("down");
    expect(status(down)).toBeUndefined();
    expect(containerNamed(down, "runner").command).toEqual(["/home/runner/run.sh"]);

    await patchDeployment({ spec: { replicas: 2 } });
    await rolledOut();
    await until("a primed pod", 20, async () => {
      const pod = await unscheduled(`back-${Math.round(performance.now())}`);
      return status(pod) !== undefined;
    });
  });
});

describe("6. A pod in a namespace without the label", () => {
  test("causes no reviews, as the metrics show", async () => {
    const before = await metric("arc_primer_decisions_total");
    const pod = await unscheduled("unlabelled", "unlabelled");
    expect(status(pod)).toBeUndefined();
    expect(await metric("arc_primer_decisions_total")).toBe(before);
    await unscheduled("labelled");
    expect(await metric("arc_primer_decisions_total")).toBe(before + 1);
  });
});

/** A runner pod that fits no node, because only its creation matters. */
async function unscheduled(name: string, namespace = "runners"): Promise<RunnerPod> {
  const { spec, metadata } = goldenPod("dind-sidecar") as unknown as RunnerPod;
  const { volumes = [], containers, initContainers = [] } = spec;
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: metadata.labels ?? {} },
    spec: {
      containers,
      initContainers,
      volumes,
      restartPolicy: "Never",
      nodeSelector: { "arc-primer.dev/nowhere": "true" },
    },
  };
  const { status: code, body } = await tryCreate(pod as RunnerPod);
  if (code !== 201) throw new Error(`creating ${name}: ${code} ${JSON.stringify(body)}`);
  return body;
}

/**
 * Creates pods one after the other while `work` runs, and returns them.
 *
 * @throws {AggregateError} if the work failed or a pod was not created. Both have stopped then, and no error is lost.
 */
async function createPodsDuring(prefix: string, work: () => Promise<void>): Promise<RunnerPod[]> {
  const pods: RunnerPod[] = [];
  const end = new AbortController();
  const loop = async () => {
    for (let count = 1; !end.signal.aborted; count += 1) pods.push(await unscheduled(`${prefix}-${count}`));
  };
  const results = await Promise.allSettled([work().finally(() => end.abort()), loop()]);
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join("; and "));
  return pods;
}

async function deleteRunnerPods(): Promise<void> {
  await call("DELETE", "/api/v1/namespaces/runners/pods?labelSelector=actions-ephemeral-runner", {
    gracePeriodSeconds: 0,
  });
  await until("no pods", 60, async () => (await list("Pod", "runners")).length === 0);
}

/** Replaces the serving certificate. The old one is trusted only as long as it is served. */
async function replaceCertificate(): Promise<void> {
  const expiry = "arc_primer_certificate_expiry_timestamp_seconds";
  const next = await servingCertificate();
  await register(certificate, next);
  const before = await metric(expiry);
  await writeSecret(next);
  // A change of the pod makes the kubelet update its volumes immediately instead of within about a minute.
  for (const name of await webhookPods()) {
    const patch = { metadata: { annotations: { "arc-primer.dev/look": String(Date.now()) } } };
    await call("PATCH", `/api/v1/namespaces/arc-primer/pods/${name}`, patch, "application/merge-patch+json");
  }
  const reloads = 'what="certificate",result="accepted"';
  await until(
    "the new certificate in both replicas",
    150,
    async () => (await metric("arc_primer_reloads_total", new RegExp(reloads))) === 4,
  );
  expect(await metric(expiry)).toBeGreaterThan(before);
  await register(next);
  certificate = next;
}

const unprimed = (pods: RunnerPod[]) => pods.filter((pod) => !status(pod)).map(({ metadata }) => metadata.name);

describe("7. No admission is lost", () => {
  test(
    "during a certificate replacement and a rolling restart of two replicas, while pods are created continuously",
    { timeout: 300_000 },
    async () => {
      const created = await createPodsDuring("swap", async () => {
        await replaceCertificate();
        const restarted = { "arc-primer.dev/restarted": "1" };
        await patchDeployment({ spec: { template: { metadata: { annotations: restarted } } } });
        await rolledOut(150);
      });
      process.stderr.write(`  ${created.length} pods were created meanwhile\n`);
      expect(created.length).toBeGreaterThan(100);
      expect(unprimed(created)).toEqual([]);
      await deleteRunnerPods();
    },
  );

  test("after 100 s without traffic, when connections have been idle", { timeout: 240_000 }, async () => {
    const twenty = async (prefix: string) =>
      Promise.all(Array.from({ length: 20 }, async (_, index) => unscheduled(`${prefix}-${index}`)));
    await twenty("before-idle"); // opens as many connections, from and to kube-apiserver
    await sleep(100_000);
    const created = await twenty("after-idle");
    expect(unprimed(created)).toEqual([]);
    await deleteRunnerPods();
  });
});

describe("8. 200 runner pods at once", () => {
  test("are all primed; prints the latencies that kube-apiserver measured", { timeout: 240_000 }, async () => {
    const before = await latencies();
    const started = performance.now();
    const created = await Promise.all(Array.from({ length: 200 }, async (_, index) => unscheduled(`burst-${index}`)));
    const seconds = (performance.now() - started) / 1000;
    const after = await latencies();
    expect(unprimed(created)).toEqual([]);

    const counts = [...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const);
    const total = counts.find(([bound]) => bound === Infinity)?.[1] ?? 0;
    const within = (share: number) => counts.find(([, count]) => count >= total * share)?.[0];
    const unit = (bound: number | undefined) => `${(bound ?? Number.NaN) * 1000} ms`;
    process.stderr.write(
      `  200 pods in ${seconds.toFixed(1)} s; webhook calls as kube-apiserver saw them: ${total}, 50 % within ${unit(within(0.5))}, 99 % within ${unit(within(0.99))}\n`,
    );
    expect(total).toBeGreaterThanOrEqual(200);
    await deleteRunnerPods();
  });
});

/** kube-apiserver's latency histogram for our webhook: the number of calls by upper bound in seconds. */
async function latencies(): Promise<Map<number, number>> {
  const { body } = await call<string>("GET", "/metrics");
  const name = 'apiserver_admission_webhook_admission_duration_seconds_bucket{name="runners.arc-primer.dev"';
  const lines = body.split("\n").filter((line) => line.startsWith(name));
  return new Map(
    lines
      .map((line): [number, number] => [
        Number(/le="([^"]+)"/.exec(line)?.[1]?.replace("+Inf", "Infinity")),
        Number(line.split(" ").at(-1)),
      ])
      .toSorted(([a], [b]) => a - b),
  );
}

test("the webhook was never restarted within its resource limits", async () => {
  const pods = await list<Resource & { status: { containerStatuses: { restartCount: number }[] } }>(
    "Pod",
    "arc-primer",
    "app=arc-primer",
  );
  expect(
    pods.flatMap(({ status: { containerStatuses } }) => containerStatuses.map(({ restartCount }) => restartCount)),
  ).toEqual([0, 0]);
  expect(await get("Deployment", "arc-primer", "arc-primer")).toMatchObject({ status: { readyReplicas: 2 } });
});
