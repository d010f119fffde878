import { goldenPod } from "../../support/pods.ts";
import type { Container } from "../../../src/pod/types.ts";
import { create, get, logs, until } from "./kube.ts";
import type { Resource } from "./kube.ts";

export interface RunnerPod extends Resource {
  spec: {
    containers: Container[];
    initContainers?: Container[];
    nodeSelector?: Record<string, string>;
    terminationGracePeriodSeconds?: number;
    volumes?: { name: string }[];
  };
  status?: {
    phase: string;
    startTime?: string;
    containerStatuses?: { name: string; state: { terminated?: Terminated; running?: object } }[];
    initContainerStatuses?: { name: string; started?: boolean; state: { running?: { startedAt: string } } }[];
  };
}

export interface Terminated {
  exitCode: number;
  message?: string;
  startedAt: string;
  finishedAt: string;
}

interface Options {
  /** The golden folder of the stock pod. */
  layout?: "dind-sidecar" | "dind-container" | "dind-tls" | "default-mode";
  change?: (pod: RunnerPod) => void;
}

/** A runner image on the bare cluster without package sources: apt only uses the sources in the profile. */
export const slimImage = "ghcr.io/actions/actions-runner:slim";

/** Creates the runner pod of `prepareRunnerPod`. */
export async function runnerPod(
  ...of: [name: string, namespace: string, job: string, options?: Options]
): Promise<RunnerPod> {
  return create(await prepareRunnerPod(...of));
}

/**
 * Prepares a runner pod like ARC's that can run in the test cluster: the stock pod of a golden folder, without what the API
 * server and ARC's controller add for a real job. A run.sh of the test replaces the one in the image.
 *
 * @param job the body of run.sh
 */
export async function prepareRunnerPod(
  name: string,
  namespace: string,
  job: string,
  options: Options = {},
): Promise<RunnerPod> {
  const { spec, metadata } = goldenPod(options.layout ?? "dind-sidecar") as unknown as RunnerPod;
  const volumes = (spec.volumes ?? []).filter((volume) => !volume.name.startsWith("kube-api-access"));
  const script = { name: "job", configMap: { name, defaultMode: 0o755 } };
  const pod: RunnerPod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: metadata.labels ?? {}, annotations: { ...metadata.annotations } },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      initContainers: (spec.initContainers ?? []).map(runnable),
      containers: spec.containers.map(runnable),
      volumes: [...volumes, script],
    } as RunnerPod["spec"],
  };
  const runner = pod.spec.containers.find((container) => container.name === "runner")!;
  runner.env = (runner.env ?? []).filter((variable) => variable.name !== "ACTIONS_RUNNER_INPUT_JITCONFIG");
  runner.volumeMounts?.push({ name: "job", mountPath: "/home/runner/run.sh", subPath: "run.sh" });
  options.change?.(pod);
  await create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
    data: { "run.sh": `#!/bin/bash\n${job}\n` },
  });
  return pod;
}

function runnable(container: Container): Container {
  return {
    ...container,
    imagePullPolicy: "IfNotPresent",
    volumeMounts: (container.volumeMounts ?? []).filter(({ name }) => !name.startsWith("kube-api-access")),
  };
}

export function containerNamed(pod: RunnerPod, name: string): Container {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((container) => container.name === name)!;
}

/** Waits until the runner container exits, and returns its state and log. */
export async function ended(pod: RunnerPod, seconds = 60): Promise<Terminated & { log: string }> {
  const { name, namespace = "" } = pod.metadata;
  const terminated = await until(`the exit of the runner in ${name}`, seconds, async () => {
    const { status } = await get<RunnerPod>("Pod", namespace, name);
    return status?.containerStatuses?.find((container) => container.name === "runner")?.state.terminated;
  });
  return { ...terminated, log: await logs(namespace, name, "runner") };
}
