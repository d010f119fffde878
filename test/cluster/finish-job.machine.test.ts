import { describe, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { arcSees } from "./support/arc.ts";
import { call, create, get, logs, until } from "./support/kube.ts";
import { containerNamed, prepareRunnerPod } from "./support/runner-pod.ts";
import type { RunnerPod, Terminated } from "./support/runner-pod.ts";
import { installWebhookForTests } from "./support/webhook-hooks.ts";

// Runner pods that are evicted through the Eviction API, as `kubectl drain` does: with a running job, without a job, with a
// job that starts at that moment, and with a job that takes too long. The runner is the image's own run.sh, whose listener
// and worker have the same names as GitHub's.

const profiles = {
  default: {},
  finish: { runner: { finishJob: { gracePeriod: "2m", reserve: "10s" } } },
  // The job can continue for 15 s.
  short: { runner: { finishJob: { gracePeriod: "1m", reserve: "45s" } } },
};
installWebhookForTests({ profiles, rules: [{ profile: "default", allowedProfiles: ["finish", "short"] }] }, "finish");

interface Case {
  readonly profile?: "finish" | "short";
  readonly layout?: "dind-sidecar" | "dind-container" | "default-mode";
  /** The pod is evicted when this text is in the runner's log. */
  readonly when?: string;
  readonly env?: Record<string, string>;
}

/**
 * Evicts a runner pod while this job is running. Returns the exit state of its runner container, how long that took, its log
 * until then, and what ARC would do with the pod.
 */
async function evict(name: string, job: string, { profile, layout = "default-mode", when, env = {} }: Case = {}) {
  const pod = await prepareRunnerPod(name, "finish", "", { layout });
  const container = containerNamed(pod, "runner");
  container.volumeMounts = container.volumeMounts?.filter((mount) => mount.name !== "job") ?? [];
  for (const [key, value] of Object.entries({ STAND_IN_JOB: job, ...env })) container.env?.push({ name: key, value });
  if (profile) pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": profile };
  Object.assign(pod.metadata, { finalizers: ["arc-primer.dev/test"] }); // keeps the status readable after the pod has stopped
  const created = await create(pod);
  const primed = created.metadata.annotations?.[statusAnnotation] ?? "";
  expect(primed.includes('"finish-job"')).toBe(profile !== undefined);
  try {
    const read = () => logs("finish", name, "runner");
    await until(`${when} in the log of ${name}`, 90, async () => (await read()).includes(when ?? "at work\n"));
    const began = performance.now();
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "finish" } };
    const { status } = await call("POST", `/api/v1/namespaces/finish/pods/${name}/eviction`, eviction);
    expect(status).toBe(201);
    let log = "";
    const terminated = await until(`the end of the runner in ${name}`, 120, async () => {
      log = await read().catch(() => log);
      const now = await get<RunnerPod>("Pod", "finish", name);
      return now.status?.containerStatuses?.find((one) => one.name === "runner")?.state.terminated;
    });
    const seconds = (performance.now() - began) / 1000;
    report(name, terminated, seconds);
    const reactions = await arcSees(pod, 30);
    return { ...terminated, seconds, log, arc: reactions.at(-1) };
  } finally {
    const patch = { metadata: { finalizers: null } };
    await call("PATCH", `/api/v1/namespaces/finish/pods/${name}`, patch, "application/merge-patch+json");
  }
}

function report(name: string, { exitCode, message }: Terminated, seconds: number): void {
  process.stderr.write(`  ${name}: exited ${seconds.toFixed(1)} s after its eviction with ${exitCode}: ${message}\n`);
}

const succeeded = { does: "delete the runner", because: "it has succeeded" };
// Jobs write their results to the termination message, which is kept longer than the container's log.
const writes = (text: string) => `echo "${text}" >> /dev/termination-log`;
const docker = `docker version --format "docker {{.Server.Version}}" >> /dev/termination-log 2>&1`;

describe("a running job can finish, and the runner exits after it", () => {
  test("in a pod without Docker", async () => {
    const ran = await evict("plain", `echo at work; sleep 12; ${writes("done")}`, { profile: "finish" });
    expect(ran).toMatchObject({ exitCode: 0, message: "done\n", arc: succeeded });
    expect(ran.seconds).toBeGreaterThan(8);
    expect(ran.seconds).toBeLessThan(25);
    expect(ran.log).toContain(
      "this pod is being terminated while a job is running: waiting up to 110 s for the runner to exit",
    );
  });

  test.each(["dind-sidecar", "dind-container"] as const)("Docker stays available to the end: %s", async (layout) => {
    const job = `echo at work; sleep 12; ${docker}; ${writes("done")}`;
    const ran = await evict(layout, job, { profile: "finish", layout });
    expect(ran).toMatchObject({ exitCode: 0, message: expect.stringMatching(/^docker \d.*\ndone\n$/), arc: succeeded });
  });

  test("even if its worker has not started yet", async () => {
    const ran = await evict("early", `echo at work; sleep 5; ${writes("done")}`, {
      profile: "finish",
      when: "Running job",
      env: { STAND_IN_WORKER_AFTER: "8" },
    });
    expect(ran).toMatchObject({ exitCode: 0, message: "done\n", arc: succeeded });
    expect(ran.log).toContain("at work");
  });

  test.each(["0.3", "1", "4"])("even if the listener is still requesting it, which takes %s s", async (seconds) => {
    const ran = await evict(`asking-${seconds.replace(".", "-")}`, `echo at work; sleep 2; ${writes("done")}`, {
      profile: "finish",
      when: "a message",
      env: { STAND_IN_JOB_AFTER: seconds },
    });
    expect(ran).toMatchObject({ exitCode: 0, message: "done\n", arc: succeeded });
  });

  test("without the setting, it is cancelled", async () => {
    const ran = await evict("unprimed", `echo at work; sleep 12; ${writes("done")}`);
    expect(ran.exitCode).not.toBe(0);
    expect(ran.message ?? "").not.toContain("done");
    expect(ran.seconds).toBeLessThan(8);
  });
});

test("an idle runner stops as fast as without the hook, within a second", async () => {
  const idle = { when: "Listening for Jobs" };
  const without = await evict("idle-without", "idle", idle);
  const ran = await evict("idle", "idle", { ...idle, profile: "finish" });
  expect([without.exitCode, ran.exitCode]).toEqual([143, 143]);
  expect(ran.seconds - without.seconds).toBeLessThan(2); // the hook's own second, and the kubelet's rounding
});

describe("a job that exceeds the grace period is cancelled, and still has time and Docker for its cleanup", () => {
  const cleaningUp = `trap 'sleep 5; ${docker}; ${writes("cleaned up")}; exit 1' INT; echo at work; while :; do sleep 0.2; done`;
  test.each(["dind-sidecar", "dind-container"] as const)("%s", async (layout) => {
    const ran = await evict(`long-${layout}`, cleaningUp, { profile: "short", layout });
    expect(ran.message).toMatch(/^arc-primer: failed: job-timeout: .* 15 s .*\ndocker \d.*\ncleaned up\n$/);
    expect(ran.exitCode).toBe(143);
    expect(ran.seconds).toBeGreaterThan(15);
    expect(ran.seconds).toBeLessThan(40);
  });
});
