import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import jsonPatch from "fast-json-patch";
import { diff } from "../../../src/engine/diff.ts";
import { brokenInvariants } from "../../../src/engine/invariants.ts";
import { createPrime } from "../../../src/engine/prime.ts";
import { mutations } from "../../../src/mutations/index.ts";
import { isPod } from "../../../src/pod/shape.ts";
import type { Container, Pod } from "../../../src/pod/types.ts";
import type { Primed } from "../../../src/report/decision.ts";
import { goldenConfigs } from "../../support/pods.ts";
import { oneOf, random, replaceSomething } from "./malformed.ts";
import { pods } from "./pods.ts";

export interface EngineResult {
  readonly pods: number;
  readonly primed: number;
  readonly malformed: number;
  /** The engine or a mutation threw an exception. */
  readonly exceptions: number;
  /** Pods whose result was invalid, or for which a mutation was discarded because of that. */
  readonly invalid: number;
  /** Pods that a second pass changed. */
  readonly secondPasses: number;
  readonly seconds: number;
  /** The first example of each, for debugging. */
  readonly examples: readonly string[];
}

const permissions = mutations.flatMap(({ permissions: may = [] }) => may);
const levels = ["privileged", "baseline", "restricted"] as const;

/** Runs this number of generated pods through the engine, with one thread per CPU. */
export async function runEngineThreads(count: number): Promise<EngineResult> {
  const threads = availableParallelism();
  const started = performance.now();
  const results = await Promise.all(
    Array.from({ length: threads }, async (_, index) => {
      const workerData = { seed: index + 1, pods: Math.ceil(count / threads) };
      const [result] = (await once(
        new Worker(new URL("engine-thread.ts", import.meta.url), { workerData }),
        "message",
      )) as [EngineResult];
      return result;
    }),
  );
  const sum = (key: Exclude<keyof EngineResult, "examples">) => results.reduce((total, one) => total + one[key], 0);
  return {
    pods: sum("pods"),
    primed: sum("primed"),
    malformed: sum("malformed"),
    exceptions: sum("exceptions"),
    invalid: sum("invalid"),
    secondPasses: sum("secondPasses"),
    seconds: (performance.now() - started) / 1000,
    examples: results.flatMap(({ examples }) => examples),
  };
}

/** Runs this number of generated pods through the engine twice, each with one of the golden configurations. */
export function runEngine(count: number): EngineResult {
  const configs = goldenConfigs();
  const prime = createPrime({ mutations, version: "0.0.0" });
  const started = performance.now();
  const result = { primed: 0, malformed: 0, exceptions: 0, invalid: 0, secondPasses: 0 };
  const examples: string[] = [];
  const note = (what: "exceptions" | "invalid" | "secondPasses", detail: unknown, pod: Pod) => {
    result[what] += 1;
    if (examples.length < 5) examples.push(`${what}: ${String(detail)}; ${JSON.stringify(pod)}`);
  };
  for (let index = 0; index < count; index += 1) {
    const pod = generated();
    const context = { namespace: "arc-runners", podSecurity: oneOf(levels), config: oneOf(configs) };
    try {
      const first = prime(pod, context);
      if (first.decision.reason === "malformed-pod") result.malformed += 1;
      for (const { error } of first.outcomes) if (error) note(errorKind(first), error, pod);
      if (first.pod === pod) continue;
      result.primed += 1;
      const broken = isPod(pod) ? brokenInvariants(pod, first.pod as Pod, permissions) : [];
      if (broken.length > 0) note("invalid", broken.join(), pod);
      const applied = jsonPatch.applyPatch(structuredClone(pod), diff(pod, first.pod as object), true).newDocument;
      const second = prime(applied, context);
      if (second.pod !== applied) note("secondPasses", JSON.stringify(diff(applied, second.pod as object)), pod);
    } catch (error) {
      note("exceptions", error, pod);
    }
  }
  return { pods: count, ...result, seconds: (performance.now() - started) / 1000, examples };
}

function errorKind({ outcomes }: Primed): "exceptions" | "invalid" {
  return outcomes.some(({ reason }) => reason === "invariant-broken") ? "invalid" : "exceptions";
}

/** A golden pod with up to six changes. Most of them occur in real pods, a few do not. */
function generated(): Pod {
  const pod = structuredClone(oneOf(pods));
  for (let times = random(7); times > 0; times -= 1) oneOf(changes)(pod);
  if (random(10) === 0) replaceSomething(pod);
  return pod;
}

const names = ["runner", "dind", "sidecar", "arc-primer-prerequisites", "arc-primer-x", "work"];
const paths = [
  "/var/run",
  "/run",
  "/etc",
  "/etc/docker",
  "/home/runner",
  "/home/runner/.docker",
  "/",
  "/certs",
  "/tmp",
];
const words = [
  "dockerd",
  "sh",
  "-c",
  "--",
  "--mtu=1400",
  "$(HOST_IP)",
  "$$",
  "arc-primer-wait",
  "exec 9>x",
  "--config-file=/x",
];
const variables = ["DOCKER_HOST", "HOME", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "HTTP_PROXY", "HOST_IP", "my.var", "A"];
const texts = [
  "",
  "1",
  "unix:///var/run/docker.sock",
  "tcp://localhost:2376",
  "/home/runner",
  "$(A)",
  "http://proxy:3128",
];
const images = [
  "docker:dind",
  "docker:28-dind",
  "docker:29-dind-rootless",
  "ghcr.io/actions/actions-runner:latest",
  "x",
];

const all = ({ spec }: Pod): Container[] => [...(spec.initContainers ?? []), ...spec.containers];
const some = (pod: Pod): Container => (all(pod).length > 0 ? oneOf(all(pod)) : { name: "none" });

/** A name for a container. The API server rejects a pod in which two containers have the same name. */
function unused(pod: Pod): string {
  const name = oneOf(names);
  return all(pod).some((container) => container.name === name) ? `${name}-${random(1000)}` : name;
}

function addVolume(pod: Pod, source: object): string {
  const volumes = (pod.spec.volumes ??= []);
  const name = oneOf(names);
  const own = volumes.some((volume) => volume.name === name) ? `${name}-${random(1000)}` : name;
  volumes.push({ name: own, ...source });
  return own;
}

/** The name of one of the pod's volumes. The API server rejects a mount of any other volume. */
function volumeOf(pod: Pod): string {
  const { volumes = [] } = pod.spec;
  return volumes.length > 0 ? oneOf(volumes).name : addVolume(pod, { emptyDir: {} });
}

const changes: readonly ((pod: Pod) => unknown)[] = [
  (pod) => (some(pod).command = random(3) ? Array.from({ length: random(5) }, () => oneOf(words)) : []),
  (pod) => (some(pod).args = Array.from({ length: random(5) }, () => oneOf(words))),
  (pod) => (some(pod).env ??= []).push({ name: oneOf(variables), value: oneOf(texts) }),
  (pod) =>
    (some(pod).env ??= []).push({ name: oneOf(variables), valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }),
  (pod) =>
    (some(pod).volumeMounts ??= []).push({ name: volumeOf(pod), mountPath: oneOf(paths), readOnly: random(2) > 0 }),
  (pod) => addVolume(pod, oneOf([{ emptyDir: {} }, { hostPath: { path: "/x" } }])),
  (pod) => (pod.spec.initContainers ??= []).push({ name: unused(pod), image: oneOf(images) }),
  (pod) => pod.spec.containers.push({ name: unused(pod), image: oneOf(images), command: [oneOf(words)] }),
  (pod) => (some(pod).image = oneOf(images)),
  (pod) => (some(pod).name = unused(pod)),
  (pod) => (some(pod).restartPolicy = "Always"),
  (pod) =>
    (some(pod).securityContext = oneOf([
      { privileged: true },
      { runAsUser: 0 },
      { readOnlyRootFilesystem: true },
      { allowPrivilegeEscalation: false },
    ])),
  (pod) => (some(pod).resources = { limits: { cpu: "1" } }),
  (pod) => (some(pod).lifecycle = { preStop: { exec: { command: ["true"] } } }),
  (pod) => (some(pod).livenessProbe = { tcpSocket: { port: 1 } }),
  (pod) => delete some(pod).command,
  (pod) => {
    delete pod.spec.volumes;
    for (const container of all(pod)) delete container.volumeMounts;
  },
  (pod) => delete pod.metadata.annotations,
  (pod) =>
    (pod.metadata.annotations = {
      ...pod.metadata.annotations,
      "arc-primer.dev/profile": oneOf(["gpu", "default", "x"]),
    }),
  (pod) =>
    (pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/status": '{"applied":["private-ca"]}' }),
  (pod) => (pod.spec.securityContext = oneOf([{ runAsNonRoot: true }, { runAsUser: 0 }, { fsGroup: 123 }])),
  (pod) => (pod.spec.terminationGracePeriodSeconds = random(600)),
];
