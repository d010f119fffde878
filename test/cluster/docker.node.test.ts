import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { apply, call, createNamespace, get, logs, remove, until } from "./support/kube.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod, Terminated } from "./support/runner-pod.ts";
import {
  installRegistry,
  installWebhook,
  pullImages,
  refuseIfInstalled,
  servingCertificate,
  uninstall,
} from "./support/stack.ts";
import type { Login } from "./support/stack.ts";

// Injected Docker, registry logins from the first step, and a dockerd that keeps running during the job's cleanup. Uses real
// DinD pods, real registries that require a login, and a real kubelet that terminates the pods.

const hash = "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"; // of the password
const login = (user: string): Login => ({ user, password: "correct horse", line: `${user}:${hash}` });
const ours = login("ours");
const theirs = login("theirs");

let installing = false;
let known: string;
let other: string;

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  const { address: open } = await installRegistry();
  ({ address: known } = await installRegistry("known", ours));
  ({ address: other } = await installRegistry("other", theirs));
  const registries = { "docker.io": { mirrors: [{ url: `http://${open}` }] } };
  const mirror = { insecureRegistries: [known, other] };
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { registries, docker: { mirror } },
      injected: { extends: "default", docker: { inject: true } },
      container: { extends: "default", docker: { inject: true, injected: { layout: "container" } } },
      rootless: { extends: "default", docker: { inject: true, injected: { rootless: true } } },
      "logged-in": { extends: "default", docker: { credentials: { secret: "logins" } } },
      "no-secret": { extends: "default", docker: { credentials: { secret: "nowhere" } } },
      graceful: { docker: { gracefulEnd: { gracePeriod: "60s" } } },
    },
    rules: [
      {
        profile: "default",
        allowedProfiles: ["injected", "container", "rootless", "logged-in", "no-secret", "graceful"],
      },
    ],
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("docker");
  const auth = Buffer.from(`${ours.user}:${ours.password}`).toString("base64");
  const stringData = { ".dockerconfigjson": JSON.stringify({ auths: { [known]: { auth } } }) };
  const metadata = { name: "logins", namespace: "docker" };
  await apply({ apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/dockerconfigjson", stringData });
}, 900_000);
afterAll(async () => {
  if (installing) await uninstall();
});

const profile = (name: string) => (pod: RunnerPod) => {
  pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": name };
};
const status = (pod: RunnerPod) => pod.metadata.annotations?.[statusAnnotation];

describe("1. A pod of ARC's default mode gets DinD", () => {
  test.each(["injected", "container", "rootless"])("and runs a container with it: %s", async (name) => {
    const job = "docker run --rm hello:1 2>&1\necho the first container took $SECONDS s";
    const pod = await runnerPod(name, "docker", job, {
      layout: "default-mode",
      change: profile(name),
    });
    expect(status(pod)).toContain('"applied":["inject-docker","wait-for-docker","registry-mirror",');
    const { exitCode, log } = await ended(pod);
    process.stderr.write(log);
    expect(log).toMatch(/ready to start after [^]*hello from the registry\nthe first container took \d+ s\n$/);
    expect(exitCode).toBe(0);
  });

  test("if Pod Security of the namespace would reject DinD, the pod is created and starts without it", async () => {
    const namespace = await createNamespace("docker-baseline", {
      "arc-primer.dev/inject": "enabled",
      "pod-security.kubernetes.io/enforce": "baseline",
    });
    const pod = await runnerPod("baseline", namespace, "echo run.sh", {
      layout: "default-mode",
      change: profile("injected"),
    });
    expect(status(pod)).toContain('"inject-docker":"privilege-forbidden"');
    expect(await ended(pod)).toMatchObject({ exitCode: 0, log: "run.sh\n" });
  });
});

describe("2. Jobs are logged in from the first step", () => {
  const pull = (registry: string) => `docker pull --quiet ${registry}/library/hello:1 || exit 9`;

  test("a registry that requires a login serves the first pull, and `docker login` to another one works afterwards", async () => {
    const signIn = `echo "${theirs.password}" | docker login --username ${theirs.user} --password-stdin ${other} || exit 8`;
    const job = [
      pull(known),
      signIn,
      pull(other),
      'stat --format "%U %a" ~/.docker/config.json',
      "env | grep -ci auth",
      "true",
    ];
    const pod = await runnerPod("logged-in", "docker", job.join("\n"), { change: profile("logged-in") });
    const { exitCode, log } = await ended(pod);
    expect(log).toMatch(
      /the logins of the Secret logins were written to \S*config\.json\n[^]*Login Succeeded[^]*\nrunner 600\n0\n$/,
    );
    expect(exitCode).toBe(0);
    const auth = Buffer.from(`${ours.user}:${ours.password}`).toString("base64");
    for (const secret of [auth, ours.password]) expect(JSON.stringify(pod) + log).not.toContain(secret);
  });

  test("without the setting, the same pull is rejected", async () => {
    const pod = await runnerPod("logged-out", "docker", pull(known));
    expect(await ended(pod)).toMatchObject({
      exitCode: 9,
      log: expect.stringMatching(/no basic auth credentials|unauthorized|authentication required/),
    });
  });

  test("a missing Secret does not prevent pods from starting", async () => {
    const pod = await runnerPod("no-secret", "docker", "echo run.sh", { change: profile("no-secret") });
    const { exitCode, log } = await ended(pod);
    expect(log).toMatch(/the Secret nowhere of type \S+ was not found in this namespace[^]*run\.sh\n$/);
    expect(exitCode).toBe(0);
  });
});

describe("3. dockerd keeps running during the job's cleanup when the pod is deleted", () => {
  // The cleanup takes a while before it needs Docker. It writes its result to the termination message, which is kept longer
  // than the container's log.
  const cleaningUp = [
    `trap 'sleep 8; docker version --format "docker {{.Server.Version}}" > /dev/termination-log 2>&1; exit' TERM`,
    "echo ready",
    "while :; do sleep 0.2; done",
  ].join("\n");

  test("in an ordinary container, and not longer", async () => {
    const { runner, seconds } = await deleteDuringJob("graceful-container", "graceful", "dind-container", 30);
    expect(runner).toMatchObject({ exitCode: 0, message: expect.stringMatching(/^docker \d/) });
    expect(seconds).toBeLessThan(25);
  });

  test("without the setting, an ordinary container stops earlier", async () => {
    const { runner } = await deleteDuringJob("graceless-container", "default", "dind-container", 30);
    expect(runner).toMatchObject({ exitCode: 1, message: expect.stringMatching(/connect to the docker/i) });
  });

  test("in a native sidecar, with enough time", async () => {
    const { runner, seconds } = await deleteDuringJob("graceful-sidecar", "graceful", "dind-sidecar", 5);
    expect(runner).toMatchObject({ exitCode: 0, message: expect.stringMatching(/^docker \d/) });
    expect(seconds).toBeLessThan(25);
  });

  test("without the setting, the cleanup in a pod with a native sidecar is interrupted", async () => {
    const { runner } = await deleteDuringJob("graceless-sidecar", "default", "dind-sidecar", 5);
    expect(runner.exitCode).toBe(137);
    expect(runner.message ?? "").toBe("");
  });

  /** Deletes a runner pod during its job. Returns the runner's exit state, and how long the whole pod took to stop. */
  async function deleteDuringJob(
    name: string,
    chosen: string,
    layout: "dind-container" | "dind-sidecar",
    gracePeriod: number,
  ): Promise<{ runner: Terminated; seconds: number }> {
    const finalizers = ["arc-primer.dev/test"]; // keeps the status readable after the pod has stopped
    const pod = await runnerPod(name, "docker", cleaningUp, {
      layout,
      change(created) {
        profile(chosen)(created);
        created.spec.terminationGracePeriodSeconds = gracePeriod;
        Object.assign(created.metadata, { finalizers });
      },
    });
    try {
      await until("the job", 60, async () => (await logs("docker", name, "runner")).includes("ready\n"));
      const began = performance.now();
      await remove(pod);
      const states = await until("the exit of all containers", 90, async () => {
        const { status: now } = await get<RunnerPod>("Pod", "docker", name);
        const all = [...(now?.containerStatuses ?? []), ...(now?.initContainerStatuses ?? [])];
        return all.every(({ state }) => "terminated" in state) && now?.containerStatuses;
      });
      const seconds = (performance.now() - began) / 1000;
      const runner = states.find((container) => container.name === containerNamed(pod, "runner").name)?.state
        .terminated;
      process.stderr.write(
        `  ${name}: stopped after ${seconds.toFixed(1)} s, the runner with exit code ${runner?.exitCode}: ${runner?.message}\n`,
      );
      return { runner: runner!, seconds };
    } finally {
      const patch = { metadata: { finalizers: null } };
      await call("PATCH", `/api/v1/namespaces/docker/pods/${name}`, patch, "application/merge-patch+json");
    }
  }
});
