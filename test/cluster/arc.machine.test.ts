import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ArcController } from "../support/arc-controller.ts";
import { arcSees } from "./support/arc.ts";
import { create, createNamespace, get, logs, remove, until } from "./support/kube.ts";
import { kubectlPrints } from "./support/release.ts";
import { containerNamed, ended, prepareRunnerPod, slimImage } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhook, pullImages, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// What ARC would do with primed pods: its decisions (test/support/arc-controller.ts) based on the status that a real kubelet
// reports. The runner is the image's own run.sh, which behaves like GitHub's. STAND_IN_JOB is its job.

let installing = false;
const deleted = { does: "delete the pod", nextAfterSeconds: 5 };
const succeeded = { does: "delete the runner", because: "it has succeeded" };

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  const apt = { sources: [{ url: "http://127.0.0.1:9/", suites: ["./"], trusted: true }] }; // nothing listens on this port
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { docker: { wait: { timeout: "60s" } } },
      impatient: { docker: { wait: { timeout: "3s" } } },
      packages: { prerequisites: { packages: ["no-such-package"], onFailure: "fail", apt } },
    },
    rules: [{ profile: "default", allowedProfiles: ["impatient", "packages"] }],
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("arc");
  await createNamespace("arc-unprimed", {});
}, 900_000);
afterAll(async () => {
  if (installing) await uninstall();
});

interface Options {
  namespace?: string;
  layout?: "dind-sidecar" | "dind-container" | "default-mode";
  profile?: string;
  change?: (pod: RunnerPod) => void;
}

/** A runner pod whose runner container runs the image's run.sh with this job. */
async function runner(name: string, job: string, options: Options = {}): Promise<RunnerPod> {
  const { namespace = "arc", layout = "default-mode", profile, change } = options;
  const pod = await prepareRunnerPod(name, namespace, "", { layout });
  const container = containerNamed(pod, "runner");
  container.volumeMounts = container.volumeMounts?.filter((mount) => mount.name !== "job") ?? [];
  container.env?.push({ name: "STAND_IN_JOB", value: job });
  if (profile) pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": profile };
  change?.(pod);
  return create(pod);
}

const neverStartsDocker = (pod: RunnerPod) =>
  Object.assign(containerNamed(pod, "dind"), {
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"],
    args: undefined,
  });

describe("a job that ends", () => {
  test.each(["dind-sidecar", "dind-container"] as const)("with exit code 0 is a success: %s", async (layout) => {
    const pod = await runner(layout, "docker version --format {{.Server.Version}}", { layout });
    expect((await arcSees(pod, 90)).at(-1)).toEqual(succeeded);
    expect((await ended(pod)).log).toMatch(/ready to start after [^]*\n29\.\S+\nRunner listener exit with code 0\n/);
  });

  test("with the exit code of an outdated runner is recognized", async () => {
    expect((await arcSees(await runner("outdated", "exit 7"), 60)).at(-1)).toEqual({
      does: "mark the runner",
      as: "Outdated",
    });
  });

  test("with any other exit code of the listener is a success, because run-helper.sh exits with 0", async () => {
    const pod = await runner("unknown", "exit 33");
    expect((await arcSees(pod, 60)).at(-1)).toEqual(succeeded);
    expect((await ended(pod)).log).toContain("Runner listener exit with code 33");
  });
});

describe("Docker never becomes available", () => {
  test("in a primed pod: exit code 42, and ARC deletes the pod and creates another one", async () => {
    const options = { layout: "dind-container", profile: "impatient", change: neverStartsDocker } as const;
    const pod = await runner("never", "echo a job is taken", options);
    expect(await arcSees(pod, 60)).toEqual([{ does: "wait" }, { does: "count as running" }, deleted]);
    expect(await ended(pod)).toMatchObject({ exitCode: 42, log: expect.not.stringContaining("a job is taken") });
    await remove(pod, 0);
  });

  test("in an unprimed pod: the runner waits until its timeout, and takes a job anyway", async () => {
    const change = (pod: RunnerPod) => {
      neverStartsDocker(pod);
      const wait = containerNamed(pod, "runner").env?.find((one) => one.name === "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS");
      Object.assign(wait ?? {}, { value: "3" });
    };
    const options = { namespace: "arc-unprimed", layout: "dind-container", change } as const;
    const pod = await runner("never", "docker version || echo a job has failed", options);
    const { log } = await ended(pod);
    expect(log).toContain("Waiting for docker to be ready.\n");
    expect(log).not.toContain("Docker is ready.");
    expect(log).toContain("a job has failed");
    await remove(pod, 0);
  });
});

describe("a pod in which another container fails or hangs", () => {
  const failing = (pod: RunnerPod) =>
    Object.assign(containerNamed(pod, "dind"), { command: ["sh", "-c", "sleep 4; exit 3"], args: undefined });

  test("a native sidecar fails: ARC deletes the pod, although the runner is running", async () => {
    const pod = await runner("sidecar", "true", { layout: "dind-sidecar", change: failing });
    expect((await arcSees(pod, 60)).at(-1)).toEqual(deleted);
    const { status } = await get<RunnerPod>("Pod", "arc", "sidecar");
    expect(status?.containerStatuses?.find(({ name }) => name === "runner")?.state).toHaveProperty("running");
    await remove(pod, 0);
  });

  test("a native sidecar fails during a job: ARC deletes the runner", async () => {
    const pod = await runner("sidecar-job", "true", { layout: "dind-sidecar", change: failing });
    expect((await arcSees(pod, 60, new ArcController({ hasJob: true }))).at(-1)).toEqual({
      does: "delete the runner",
      because: "it failed with a job",
    });
    await remove(pod, 0);
  });

  test("required packages cannot be installed: ARC deletes the pod", async () => {
    const pod = await runner("packages", "echo a job is taken", {
      profile: "packages",
      change: (created) => (containerNamed(created, "runner").image = slimImage),
    });
    expect((await arcSees(pod, 90)).at(-1)).toEqual(deleted);
    await remove(pod, 0);
  });

  test("a container that cannot be created counts as running for as long as it hangs", async () => {
    const pod = await runner("hangs", "true", {
      change: (created) => {
        containerNamed(created, "runner").securityContext = { runAsNonRoot: true, runAsUser: 0 };
      },
    });
    expect(await arcSees(pod, 15)).toEqual([{ does: "wait" }, { does: "count as running" }]);
    const { status } = await get<RunnerPod>("Pod", "arc", "hangs");
    expect(JSON.stringify(status?.containerStatuses)).toContain("CreateContainerConfigError");
    await remove(pod, 0);
  });
});

test("an idle runner passes SIGTERM on and exits with 143", async () => {
  const pod = await runner("idle", "idle");
  await until("the listener", 60, async () => (await logs("arc", "idle", "runner")).includes("Listening for Jobs"));
  // Run in the background, because the exec is interrupted when its container exits.
  kubectlPrints([
    "exec",
    "-n",
    "arc",
    "idle",
    "-c",
    "runner",
    "--",
    "bash",
    "-c",
    "(sleep 0.5; kill -TERM 1) > /dev/null 2>&1 &",
  ]);
  const { exitCode, log } = await ended(pod);
  expect(log).toMatch(/stand-in: interrupted\n[^]*$/);
  expect(exitCode).toBe(143);
  expect((await arcSees(pod, 10)).at(-1)).toEqual(deleted);
});
