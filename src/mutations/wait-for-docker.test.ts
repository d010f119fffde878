import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { anywhere, containerOf, goldenPod, profileWith, runAll } from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import script from "../scripts/wait-for-docker.sh";
import { waitForDocker } from "./wait-for-docker.ts";

function run(pod: Pod, profile: object = {}) {
  const result = runAll([waitForDocker], pod, profileWith(profile), anywhere);
  return { pod: result.pod, outcome: result.outcomes[0]! };
}

function runnerEnv(pod: Pod, env: NonNullable<Pod["spec"]["containers"][number]["env"]>): Pod {
  containerOf(pod, "runner").env = env;
  return pod;
}

test("the command is wrapped, the settings are words of their own, the args stay", () => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").args = ["--once"];
  const docker = { wait: { timeout: "90s", interval: "200ms", exitCode: 9, onTimeout: "start" } };
  const runner = containerOf(run(pod, { docker }).pod, "runner");
  expect(runner.command?.slice(3)).toEqual([
    "arc-primer-wait",
    "timeout=90",
    "interval=0.2",
    "exit-code=9",
    "on-timeout=start",
    "--",
    "/home/runner/run.sh",
  ]);
  expect(runner.args).toEqual(["--once"]);
});

test("the kubelet hands the shell the script as it is written, whatever variables the container has", () => {
  const { command = [] } = containerOf(run(goldenPod("dind-sidecar")).pod, "runner");
  const names = [...script.matchAll(/\$\(([^)]*)\)/g)].map(([, name]) => name ?? "");
  const env = Object.fromEntries(names.map((name) => [name, "REPLACED"]));
  expect(names).not.toEqual([]);
  expect(kubeletExpand(command[2] ?? "", env)).toBe(script);
});

test.each([
  ["a unix socket", { name: "DOCKER_HOST", value: "unix:///run/docker/docker.sock" }],
  ["TCP", { name: "DOCKER_HOST", value: "tcp://localhost:2375" }],
  ["valueFrom", { name: "DOCKER_HOST", valueFrom: { configMapKeyRef: { name: "docker", key: "host" } } }],
])("DOCKER_HOST by %s is Docker enough, also without a DinD container", (_form, entry) => {
  expect(run(runnerEnv(goldenPod("default-mode"), [entry])).outcome.result).toBe("applied");
});

test("without DOCKER_HOST the default socket must be mounted", () => {
  expect(run(runnerEnv(goldenPod("dind-container"), [])).outcome.result).toBe("applied");
  expect(run(goldenPod("docker-out-of-reach")).outcome).toMatchObject({ reason: "docker-out-of-reach" });
});

test("an empty DOCKER_HOST is none", () => {
  const pod = runnerEnv(goldenPod("default-mode"), [{ name: "DOCKER_HOST", value: "" }]);
  expect(run(pod).outcome).toMatchObject({ result: "skipped", reason: "no-docker" });
});

test.each([
  ["default-mode", {}, "no-docker"],
  ["kubernetes-mode", {}, "kubernetes-mode"],
  ["kubernetes-novolume-mode", {}, "kubernetes-mode"],
  ["no-command", {}, "no-command"],
  ["dind-sidecar", { runner: { container: "worker" } }, "no-runner-container"],
  ["dind-sidecar", { docker: { wait: { enabled: false } } }, "disabled"],
])("%s with %j is left alone: %s", (golden, profile, reason) => {
  const pod = goldenPod(golden);
  const result = run(pod, profile);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test("a command that the profile names is used only where the pod has none", () => {
  const runner = { command: ["/start.sh"] };
  const last = (name: string) => containerOf(run(goldenPod(name), { runner }).pod, "runner").command?.at(-1);
  expect(last("no-command")).toBe("/start.sh");
  expect(last("dind-sidecar")).toBe("/home/runner/run.sh");
});

test("a wrapper that another webhook has moved to args is recognised", () => {
  const primed = structuredClone(run(goldenPod("dind-sidecar")).pod);
  const runner = containerOf(primed, "runner");
  runner.args = [...(runner.command ?? []), ...(runner.args ?? [])];
  runner.command = ["/vault/vault-env"];
  expect(run(primed).outcome).toMatchObject({ reason: "already-there" });
});

test.each<[string, (pod: Pod) => void, object, string | undefined]>([
  ["nothing else relies on it", () => {}, {}, "startup-probe-removed"],
  ["a setting keeps it", () => {}, { docker: { wait: { keepStartupProbe: true } } }, "startup-probe-kept-by-setting"],
  [
    "an init container follows",
    (pod) => pod.spec.initContainers?.push({ name: "mine" }),
    {},
    "startup-probe-kept-for-init-container",
  ],
  [
    "our own init container follows",
    (pod) => pod.spec.initContainers?.push({ name: "arc-primer-x" }),
    {},
    "startup-probe-removed",
  ],
  [
    "another container is told of Docker",
    (pod) => pod.spec.containers.push({ name: "other", env: [{ name: "DOCKER_HOST", value: "tcp://localhost:2375" }] }),
    {},
    "startup-probe-kept-for-container",
  ],
  [
    "another container mounts the socket",
    (pod) => pod.spec.containers.push({ name: "other", volumeMounts: [{ name: "dind-sock", mountPath: "/sock" }] }),
    {},
    "startup-probe-kept-for-container",
  ],
  [
    "a liveness probe waits for it",
    (pod) => Object.assign(containerOf(pod, "dind"), { livenessProbe: { tcpSocket: { port: 2375 } } }),
    {},
    "startup-probe-kept-for-liveness-probe",
  ],
  [
    "the runner has a hook that runs when it starts",
    (pod) =>
      Object.assign(containerOf(pod, "runner"), {
        lifecycle: { postStart: { exec: { command: ["docker", "login"] } } },
      }),
    {},
    "startup-probe-kept-for-runner",
  ],
  ["there is none", (pod) => delete containerOf(pod, "dind").startupProbe, {}, undefined],
])("the startup probe, when %s", (_when, change, profile, note) => {
  const pod = goldenPod("dind-sidecar");
  change(pod);
  const had = containerOf(pod, "dind").startupProbe;
  const result = run(pod, profile);
  expect(result.outcome).toMatchObject({ result: "applied", notes: note ? [note] : [] });
  expect(containerOf(result.pod, "dind").startupProbe).toEqual(note === "startup-probe-removed" ? undefined : had);
});

test("the probe of a DinD container beside the runner holds nobody back, and stays", () => {
  const pod = goldenPod("dind-container");
  containerOf(pod, "dind").startupProbe = { exec: { command: ["docker", "info"] } };
  expect(containerOf(run(pod).pod, "dind").startupProbe).toBeDefined();
});

test("without the wrapper the probe stays", () => {
  expect(containerOf(run(goldenPod("no-command")).pod, "dind").startupProbe).toBeDefined();
});
