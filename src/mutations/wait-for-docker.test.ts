import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { containerOf, goldenPod, runOne } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import script from "../scripts/wait-for-docker.sh";
import { waitForDocker } from "./wait-for-docker.ts";

const run = (pod: Pod, profile: object = {}) => runOne(waitForDocker, pod, profile);

function runnerEnv(pod: Pod, env: NonNullable<Pod["spec"]["containers"][number]["env"]>): Pod {
  containerOf(pod, "runner").env = env;
  return pod;
}

test("the command is wrapped, the settings are separate arguments, and the args are not changed", () => {
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

test("the kubelet's expansion does not change the script, whatever variables the container has", () => {
  const { command = [] } = containerOf(run(goldenPod("dind-sidecar")).pod, "runner");
  const names = [...script.matchAll(/\$\(([^)]*)\)/g)].map(([, name]) => name ?? "");
  const env = Object.fromEntries(names.map((name) => [name, "REPLACED"]));
  expect(names).not.toEqual([]);
  expect(kubeletExpand(command[2] ?? "", env)).toBe(script);
});

test.each([
  ["a unix socket", { name: "DOCKER_HOST", value: "unix:///run/docker/docker.sock" }],
  ["TCP", { name: "DOCKER_HOST", value: "tcp://localhost:2375" }],
  ["TCP to another host", { name: "DOCKER_HOST", value: "tcp://docker.ci.svc:2375" }],
  ["SSH", { name: "DOCKER_HOST", value: "ssh://docker@builder.example.com" }],
  ["valueFrom", { name: "DOCKER_HOST", valueFrom: { configMapKeyRef: { name: "docker", key: "host" } } }],
])("DOCKER_HOST set by %s counts as Docker, even without a DinD container", (_form, entry) => {
  expect(run(runnerEnv(goldenPod("default-mode"), [entry])).outcome.result).toBe("applied");
});

/** A pod whose runner has this DOCKER_HOST and a command that may start Docker, with a change. */
function podWith(host: string, change: (pod: Pod, runner: Container) => unknown = () => {}): Pod {
  const pod = runnerEnv(goldenPod("default-mode"), [{ name: "DOCKER_HOST", value: host }]);
  containerOf(pod, "runner").command = ["/usr/local/bin/start"];
  change(pod, containerOf(pod, "runner"));
  return pod;
}

const socket = "unix:///var/run/docker.sock";
const loopback = "tcp://127.0.0.1:2375";
const share = { name: "sock", mountPath: "/var/run" };

/** Adds another container that shares the directory of the socket with the runner. */
function shareSocket(pod: Pod, runner: Container, other: Partial<Container>): void {
  pod.spec.volumes?.push({ name: "sock", emptyDir: {} });
  runner.volumeMounts?.push(share);
  pod.spec.containers.push({ name: "other", volumeMounts: [share], ...other });
}

test.each<[string, Pod]>([
  ["a socket that is not on a volume", podWith("unix:///tmp/podman.sock")],
  [
    "a socket in an emptyDir that only the runner mounts",
    podWith(socket, (pod, runner) => {
      pod.spec.volumes?.push({ name: "sock", emptyDir: {} });
      runner.volumeMounts?.push(share);
    }),
  ],
  [
    "a socket shared with an init container, which has already finished",
    podWith(socket, (pod, runner) => {
      shareSocket(pod, runner, {});
      pod.spec.initContainers = [pod.spec.containers.pop()!];
    }),
  ],
  [
    "dockerd in the command, and a client that shares the socket",
    podWith(socket, (pod, runner) => {
      shareSocket(pod, runner, { image: "docker:cli" });
      runner.command = ["bash", "-c", "sudo dockerd & exec /home/runner/run.sh"];
    }),
  ],
  ["a loopback port, and no other container", podWith(loopback)],
  [
    "a loopback port, a job hook of a privileged runner, and a service mesh",
    podWith(loopback, (pod, runner) => {
      pod.spec.containers.push({ name: "istio-proxy", image: "istio/proxyv2" });
      runner.env?.push({ name: "ACTIONS_RUNNER_HOOK_JOB_STARTED", value: "/hooks/start.sh" });
      runner.securityContext = { privileged: true };
    }),
  ],
  [
    "a privileged runner, whose jobs may start Docker",
    podWith(socket, (_, runner) => {
      runner.command = ["/home/runner/run.sh"];
      runner.securityContext = { privileged: true };
    }),
  ],
  [
    "a job hook",
    podWith(socket, (_, runner) => {
      runner.command = ["/home/runner/run.sh"];
      runner.env?.push({ name: "ACTIONS_RUNNER_HOOK_JOB_STARTED", value: "/hooks/start.sh" });
    }),
  ],
  [
    "systemd, and a service mesh",
    podWith("tcp://localhost:2375", (pod, runner) => {
      pod.spec.containers.push({ name: "istio-proxy", image: "istio/proxyv2" });
      runner.command = ["/sbin/init"];
    }),
  ],
  [
    "sysbox, and a service mesh",
    podWith("tcp://[::1]:2375", (pod) => {
      pod.spec.containers.push({ name: "istio-proxy", image: "istio/proxyv2" });
      pod.spec.runtimeClassName = "sysbox-runc";
    }),
  ],
])("no wait is added if the runner container itself starts Docker: %s", (_how, pod) => {
  const result = run(pod);
  expect(result.outcome).toMatchObject({ result: "skipped", reason: "docker-in-runner" });
  expect(result.pod).toBe(pod);
});

test.each<[string, Pod]>([
  ["another container that shares the socket", podWith(socket, (pod, runner) => shareSocket(pod, runner, {}))],
  [
    "a podman container, even if the runner has a job hook",
    podWith(socket, (pod, runner) => {
      shareSocket(pod, runner, { image: "quay.io/podman/stable", args: ["podman", "system", "service", "--time=0"] });
      runner.env?.push({ name: "ACTIONS_RUNNER_HOOK_JOB_STARTED", value: "/hooks/start.sh" });
      runner.securityContext = { privileged: true };
    }),
  ],
  [
    "the node's socket",
    podWith(socket, (pod, runner) => {
      pod.spec.volumes?.push({ name: "node", hostPath: { path: "/var/run/docker.sock" } });
      runner.volumeMounts?.push({ name: "node", mountPath: "/var/run/docker.sock" });
    }),
  ],
  ["the node's port", podWith(loopback, (pod) => (pod.spec.hostNetwork = true))],
  [
    "a container that declares the port",
    podWith(loopback, (pod, runner) => {
      pod.spec.containers.push({ name: "engine", image: "x", ports: [{ containerPort: 2375 }] });
      runner.command = ["sh", "-c", "podman info; exec /home/runner/run.sh"];
    }),
  ],
])("Docker is provided from outside the runner container: %s", (_how, pod) => {
  expect(run(pod).outcome.result).toBe("applied");
});

test.each([
  ["Socket", "applied"],
  [undefined, "docker-on-node"],
  ["File", "docker-on-node"],
])("the node's socket without DOCKER_HOST, by a hostPath of type %s: %s", (type, want) => {
  const pod = goldenPod("default-mode");
  pod.spec.volumes?.push({ name: "node", hostPath: { path: "/var/run/docker.sock", ...(type && { type }) } });
  containerOf(pod, "runner").volumeMounts?.push({ name: "node", mountPath: "/var/run/docker.sock" });
  const { outcome } = run(pod);
  expect(outcome.reason ?? outcome.result).toBe(want);
});

test.each<[string, string | undefined, object, string]>([
  ["the profile's timeout by default", undefined, {}, "120"],
  ["ARC's defaults in the variable and the probe do not raise it", "120", { timeout: "60s" }, "60"],
  ["a longer one in the variable raises it", "600", {}, "600"],
  ["a shorter one in the variable does not lower it", "30", {}, "120"],
  ["a value that is not a number is ignored", "10m", {}, "120"],
])("the timeout: %s", (_what, value, wait, want) => {
  const env = [{ name: "DOCKER_HOST", value: socket }];
  if (value !== undefined) env.push({ name: "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS", value });
  const { pod, outcome } = run(runnerEnv(goldenPod("dind-sidecar"), env), { docker: { wait } });
  expect(containerOf(pod, "runner").command).toContain(`timeout=${want}`);
  expect(outcome.notes.includes("own-patience")).toBe(want === "600");
});

test("if the variable is 0, there is no wait, and the startup probe is kept", () => {
  const pod = goldenPod("dind-sidecar");
  const env = containerOf(pod, "runner").env!;
  env[1] = { name: "RUNNER_WAIT_FOR_DOCKER_IN_SECONDS", value: "0" };
  const result = run(pod);
  expect(result.outcome).toMatchObject({ result: "skipped", reason: "wait-declined" });
  expect(result.pod).toBe(pod);
});

test("the timeout of a startup probe is used if the probe is removed", () => {
  const pod = goldenPod("dind-sidecar");
  const dind = containerOf(pod, "dind");
  dind.startupProbe = { ...dind.startupProbe, initialDelaySeconds: 10, failureThreshold: 120 };
  const removed = run(pod);
  expect(removed.outcome).toMatchObject({ notes: ["startup-probe-removed", "own-patience"] });
  expect(containerOf(removed.pod, "runner").command).toContain("timeout=610");
  const kept = run(pod, { docker: { wait: { keepStartupProbe: true } } });
  expect(containerOf(kept.pod, "runner").command).toContain("timeout=120");
});

test("without DOCKER_HOST the default socket must be mounted", () => {
  expect(run(runnerEnv(goldenPod("dind-container"), [])).outcome.result).toBe("applied");
  expect(run(goldenPod("docker-out-of-reach")).outcome).toMatchObject({ reason: "docker-out-of-reach" });
});

test("an empty DOCKER_HOST counts as not set", () => {
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
])("%s with %j is not changed: %s", (golden, profile, reason) => {
  const pod = goldenPod(golden);
  const result = run(pod, profile);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test("the profile's command is used only if the pod has none", () => {
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
    "a sidecar without Docker follows",
    (pod) => pod.spec.initContainers?.push({ name: "postgres", image: "postgres:18", restartPolicy: "Always" }),
    {},
    "startup-probe-removed",
  ],
  [
    "a sidecar that uses Docker follows",
    (pod) =>
      pod.spec.initContainers?.push({
        name: "cache",
        restartPolicy: "Always",
        volumeMounts: [{ name: "dind-sock", mountPath: "/var/run" }],
      }),
    {},
    "startup-probe-kept-for-container",
  ],
  [
    "the probe also loads images",
    (pod) => Object.assign(containerOf(pod, "dind"), { startupProbe: { exec: { command: ["docker", "load"] } } }),
    {},
    "startup-probe-kept-for-more",
  ],
  [
    "our own init container follows",
    (pod) => pod.spec.initContainers?.push({ name: "arc-primer-x" }),
    {},
    "startup-probe-removed",
  ],
  [
    "another container has DOCKER_HOST",
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
    "a liveness probe relies on it",
    (pod) => Object.assign(containerOf(pod, "dind"), { livenessProbe: { tcpSocket: { port: 2375 } } }),
    {},
    "startup-probe-kept-for-liveness-probe",
  ],
  [
    "the runner has a postStart hook",
    (pod) =>
      Object.assign(containerOf(pod, "runner"), {
        lifecycle: { postStart: { exec: { command: ["docker", "login"] } } },
      }),
    {},
    "startup-probe-kept-for-runner",
  ],
  ["there is no startup probe", (pod) => delete containerOf(pod, "dind").startupProbe, {}, undefined],
])("the startup probe, if %s", (_when, change, profile, note) => {
  const pod = goldenPod("dind-sidecar");
  change(pod);
  const had = containerOf(pod, "dind").startupProbe;
  const result = run(pod, profile);
  expect(result.outcome).toMatchObject({ result: "applied", notes: note ? [note] : [] });
  expect(containerOf(result.pod, "dind").startupProbe).toEqual(note === "startup-probe-removed" ? undefined : had);
});

test("the probe of a regular DinD container delays nothing, so it is kept", () => {
  const pod = goldenPod("dind-container");
  containerOf(pod, "dind").startupProbe = { exec: { command: ["docker", "info"] } };
  expect(containerOf(run(pod).pod, "dind").startupProbe).toBeDefined();
});

test("without the wrapper, the probe is kept", () => {
  expect(containerOf(run(goldenPod("no-command")).pod, "dind").startupProbe).toBeDefined();
});
