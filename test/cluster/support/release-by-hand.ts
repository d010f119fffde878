import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfSigned } from "../../../src/tls/certificate.ts";
import type { KeyPair } from "../../../src/tls/certificate.ts";
import { template } from "../../support/helm.ts";
import type { Manifest, Values } from "../../support/helm.ts";
import { freePorts } from "../../support/ports.ts";
import { apply, call, create, createNamespace, remove } from "./kube.ts";
import type { Resource } from "./kube.ts";
import { ownAddress, startKubelet } from "./kubelet.ts";
import { kubectlPrints, namespace, release, serviceName } from "./release.ts";

// Installs the chart on a cluster without controllers: the manifests that Helm renders, two replicas as processes on this
// machine, and the objects that controllers would write (status, pods, endpoints).

const bundle = fileURLToPath(new URL("../../../dist/arc-primer.mjs", import.meta.url));
const [registrations, apps] = ["admissionregistration.k8s.io/v1", "apps/v1"];
export const registrationPath = `/apis/${registrations}/mutatingwebhookconfigurations/${release}`;
export const deploymentPath = `/apis/${apps}/namespaces/${namespace}/deployments/${release}`;
export const nodePath = "/api/v1/nodes/doctor-node";
const hours = 3_600_000;

/** A self-signed serving certificate, by default for the Service. `from` and `to` are hours from now. */
export async function servingPair({ name = serviceName, from = -1, to = 24 * 90 } = {}): Promise<KeyPair> {
  const now = Date.now();
  return selfSigned([name], { from: new Date(now + from * hours), to: new Date(now + to * hours) });
}

/** Changes an object with a merge patch. @throws {Error} if the API server rejects it */
export async function patch(path: string, change: object): Promise<void> {
  const { status, body } = await call("PATCH", path, change, "application/merge-patch+json");
  if (status !== 200) throw new Error(`changing ${path}: ${status} ${JSON.stringify(body)}`);
}

/** Writes the status of an existing object, as a controller would. */
export async function writeStatus(path: string, status: object): Promise<void> {
  await patch(`${path}/status`, { status });
}

export interface ByHand {
  readonly pair: KeyPair;
  /** Applies the chart's manifests with these values. */
  upgrade(values?: Values): Promise<void>;
  readonly replicas: readonly ReplicaByHand[];
  remove(): Promise<void>;
}

/** Installs a healthy release. removeNamespaces of kube.ts removes its namespaces. */
export async function installByHand(): Promise<ByHand> {
  const pair = await servingPair();
  const kubelet = await startKubelet();
  await createNamespace(namespace, {});
  await createNode(kubelet.port);
  const ports = await freePorts(4);
  const replicas = ["a", "b"].map(
    (name, index) => new ReplicaByHand(`${release}-${name}`, ports[index]!, ports[index + 2]!, pair),
  );
  let objects = "";
  const upgrade = async (values: Values = {}) => {
    objects = await applyChart(values, pair);
    await writeStatus(deploymentPath, { replicas: 2, readyReplicas: 2, updatedReplicas: 2, conditions: [] });
    const [config] = kubectlPrints([
      "get",
      "configmap",
      release,
      "-n",
      namespace,
      "-o",
      "jsonpath={.data.config\\.yaml}",
    ]).split("\0");
    for (const replica of replicas) replica.configure(config!);
  };
  await upgrade();
  for (const replica of replicas) {
    replica.start();
    await replica.createPod();
  }
  return {
    pair,
    upgrade,
    replicas,
    async remove() {
      for (const replica of replicas) await replica.stop();
      kubelet.close();
      kubectlPrints(["delete", "--ignore-not-found", "-n", namespace, "-f", "-"], objects);
      await remove({ apiVersion: "v1", kind: "Node", metadata: { name: "doctor-node" } });
    },
  };
}

/** Returns the applied manifests. */
async function applyChart(values: Values, pair: KeyPair): Promise<string> {
  const tls = { provider: "existing-secret", existingSecret: { name: "serving", caBundle: pair.cert } };
  const { stdout, stderr, status } = template({ tls, ...values }, "--no-hooks");
  if (status !== 0) throw new Error(stderr);
  kubectlPrints(["apply", "--server-side", "--force-conflicts", "-n", namespace, "-f", "-"], stdout);
  return stdout;
}

async function createNode(kubeletPort: number): Promise<void> {
  await apply({ apiVersion: "v1", kind: "Node", metadata: { name: "doctor-node" } });
  await writeStatus(nodePath, {
    addresses: [{ type: "InternalIP", address: ownAddress() }],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: nodeInfo({}),
  });
}

/** The node information of a kubelet, with these changes. */
export function nodeInfo(changes: object): object {
  return {
    machineID: "m",
    systemUUID: "u",
    bootID: "b",
    kernelVersion: "6.1",
    osImage: "Debian",
    containerRuntimeVersion: "containerd://2.1.4",
    kubeletVersion: "v1.37.2",
    kubeProxyVersion: "",
    operatingSystem: "linux",
    architecture: "amd64",
    ...changes,
  };
}

/** One replica: the built program as a process, and its Pod and EndpointSlice. */
export class ReplicaByHand {
  readonly name: string;
  readonly #port: number;
  readonly #opsPort: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "arc-primer-doctor-"));
  #child: ChildProcess | undefined;

  constructor(name: string, port: number, opsPort: number, pair: KeyPair) {
    this.name = name;
    this.#port = port;
    this.#opsPort = opsPort;
    this.serve(pair);
  }

  get podPath(): string {
    return `/api/v1/namespaces/${namespace}/pods/${this.name}`;
  }

  /** Writes the certificate that the replica serves. */
  serve({ cert, key }: KeyPair): void {
    writeFileSync(join(this.#folder, "tls.key"), key);
    writeFileSync(join(this.#folder, "tls.crt"), cert);
  }

  /** Writes the configuration of the replica, as the kubelet would. */
  configure(text: string): void {
    writeFileSync(join(this.#folder, "config.yaml"), text);
  }

  start(): void {
    const file = (name: string) => join(this.#folder, name);
    const tls = [`--tls-cert-file=${file("tls.crt")}`, `--tls-private-key-file=${file("tls.key")}`];
    const ports = ["--host=0.0.0.0", `--port=${this.#port}`, `--ops-port=${this.#opsPort}`];
    const more = [`--config=${file("config.yaml")}`, "--watch-interval=100ms", "--shutdown-delay=1ms"];
    this.#child = spawn(process.execPath, [bundle, "serve", ...tls, ...ports, ...more], { stdio: "ignore" });
  }

  async createPod(): Promise<void> {
    const deployment = await call<Manifest>("GET", deploymentPath);
    const { metadata, spec } = deployment.body.spec.template;
    const containers = spec.containers.map((one: Manifest) => ({
      ...one,
      ports: [{ name: "webhook", containerPort: this.#port }],
    }));
    const named = { name: this.name, namespace, labels: metadata.labels };
    const { apiVersion, kind } = { apiVersion: "v1", kind: "Pod" };
    await create({ apiVersion, kind, metadata: named, spec: { ...spec, containers, nodeName: "doctor-node" } });
    await this.writePodStatus("sha256:one");
    await this.writeEndpoints(true);
  }

  async writePodStatus(imageID: string): Promise<void> {
    const container = { name: "webhook", ready: true, started: true, image: "arc-primer", imageID, restartCount: 0 };
    const running = { ...container, state: { running: { startedAt: new Date().toISOString() } } };
    const podIP = ownAddress();
    await writeStatus(this.podPath, { phase: "Running", podIP, podIPs: [{ ip: podIP }], containerStatuses: [running] });
  }

  async writeEndpoints(ready: boolean): Promise<void> {
    const labels = { "kubernetes.io/service-name": release };
    await apply({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: this.name, namespace, labels },
      addressType: "IPv4",
      ports: [{ name: "webhook", port: this.#port, protocol: "TCP" }],
      endpoints: [{ addresses: [ownAddress()], conditions: { ready } }],
    } as Resource);
  }

  /** Restarts the process, which closes the API server's connections. */
  async restart(): Promise<void> {
    await this.#end();
    this.start();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const ended = new Promise((resolve) => void child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
    this.#child = undefined;
  }
}

/** A minimal CustomResourceDefinition of AutoscalingRunnerSet. */
export const runnerSetDefinition: Resource = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "autoscalingrunnersets.actions.github.com" },
  spec: {
    group: "actions.github.com",
    scope: "Namespaced",
    names: {
      kind: "AutoscalingRunnerSet",
      listKind: "AutoscalingRunnerSetList",
      plural: "autoscalingrunnersets",
      singular: "autoscalingrunnerset",
    },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** A scale set with this pod spec as its template. */
export function runnerSet(
  name: string,
  space: string,
  spec: object | undefined,
  annotations: Record<string, string> = {},
): Resource {
  return {
    apiVersion: "actions.github.com/v1alpha1",
    kind: "AutoscalingRunnerSet",
    metadata: { name, namespace: space, labels: { "app.kubernetes.io/version": "0.14.2" } },
    spec: spec === undefined ? {} : { template: { metadata: { annotations }, spec } },
  };
}
