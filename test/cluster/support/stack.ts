import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import type { KeyPair } from "../../../src/tls/certificate.ts";
import { selfSigned } from "../../../src/tls/certificate.ts";
import { goldenPod } from "../../support/pods.ts";
import { apply, call, createNamespace, get, list, remove, removeNamespaces, runLabel, until } from "./kube.ts";
import type { Resource } from "./kube.ts";

// Installs what the tests need in the cluster next to the runner pods: the webhook, from its image, and a registry.

const here = fileURLToPath(new URL("..", import.meta.url));
const provider = process.env["CLUSTER_PROVIDER"] ?? "bare";

interface Registration extends Resource {
  webhooks: { clientConfig: { service: { path: string } } }[];
}
const registration = parse(readFileSync(join(here, "manifests/registration.yaml"), "utf8")) as Registration;
const manifests = parseAllDocuments(readFileSync(join(here, "manifests/webhook.yaml"), "utf8")).map(
  (document) => document.toJS() as Resource,
);

const registrationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${registration.metadata.name}`;

function run(command: string, ...args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`, { cause: error });
}

/** The webhook's image: built from this checkout and loaded into the node, or ARC_PRIMER_IMAGE, which the cluster pulls. */
export function webhookImage(): string {
  const given = process.env["ARC_PRIMER_IMAGE"];
  if (given) return given;
  if (provider === "existing") throw new Error("set ARC_PRIMER_IMAGE to an image that this cluster can pull");
  // Several runs may share one Docker daemon.
  const name = provider === "kind" ? `arc-primer:test-${process.env["CLUSTER_RUN"]}` : "arc-primer:test";
  const built = process.env["ARC_PRIMER_ARCHIVE"]; // built by run.sh before the cluster started
  if (built) run(join(here, provider, "load-image.sh"), built);
  else {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-image-"));
    const archive = join(folder, "image.tar");
    run(join(here, "build-image.sh"), `docker.io/library/${name}`, archive);
    run(join(here, provider, "load-image.sh"), archive);
    rmSync(folder, { recursive: true });
  }
  return name;
}

export async function servingCertificate(): Promise<KeyPair> {
  const now = Date.now();
  const names = ["arc-primer.arc-primer.svc", "arc-primer.arc-primer.svc.cluster.local"];
  return selfSigned(names, { from: new Date(now - 60_000), to: new Date(now + 86_400_000) });
}

/** Writes a certificate and key to the Secret that the webhook's pods mount. */
export async function writeSecret({ cert, key }: KeyPair): Promise<void> {
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "arc-primer-tls", namespace: "arc-primer" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": cert, "tls.key": key },
  });
}

/** Creates the webhook configuration for the webhook's Service. Its caBundle contains these certificates. */
export async function register(...trusted: KeyPair[]): Promise<void> {
  const service = { name: "arc-primer", namespace: "arc-primer", port: 443 };
  const caBundle = Buffer.from(trusted.map(({ cert }) => cert).join("")).toString("base64");
  await apply({
    ...registration,
    metadata: { ...registration.metadata, labels: runLabel },
    webhooks: registration.webhooks.map((one) => ({
      ...one,
      clientConfig: { service: { ...service, path: one.clientConfig.service.path }, caBundle },
    })),
  } as Resource);
  // A changed webhook configuration takes effect in kube-apiserver after about a second.
  await new Promise((resolve) => setTimeout(resolve, 2000));
}

interface Deployment extends Resource {
  spec: {
    replicas: number;
    template: { metadata: { annotations?: Record<string, string> }; spec: { containers: { image: string }[] } };
  };
  status?: { observedGeneration?: number; updatedReplicas?: number; readyReplicas?: number; replicas?: number };
  metadata: Resource["metadata"] & { generation?: number };
}

/** Waits until the rollout is complete: all replicas are updated and ready, and no old pod is left. */
export async function rolledOut(seconds = 90): Promise<void> {
  await until("the webhook's rollout", seconds, async () => {
    const { spec, status, metadata } = await get<Deployment>("Deployment", "arc-primer", "arc-primer");
    const { updatedReplicas = 0, readyReplicas = 0, replicas = 0, observedGeneration } = status ?? {};
    return (
      observedGeneration === metadata.generation &&
      [updatedReplicas, readyReplicas, replicas].every((count) => count === spec.replicas) &&
      (await webhookPods()).length === spec.replicas
    );
  });
}

export async function patchDeployment(patch: object): Promise<void> {
  const path = "/apis/apps/v1/namespaces/arc-primer/deployments/arc-primer";
  const { status, body } = await call("PATCH", path, patch, "application/merge-patch+json");
  if (status !== 200) throw new Error(JSON.stringify(body));
}

/** @throws {Error} if arc-primer is installed in the cluster: the tests would overwrite it and then remove it */
export async function refuseIfInstalled(): Promise<void> {
  for (const path of ["/api/v1/namespaces/arc-primer", registrationPath]) {
    const { status } = await call("GET", path);
    if (status !== 404) {
      throw new Error(
        `arc-primer is already installed in this cluster (GET ${path}: ${status}): use another cluster, or uninstall it`,
      );
    }
  }
}

/** Removes the webhook, its webhook configuration first, and all namespaces of the tests. */
export async function uninstall(): Promise<void> {
  await remove(registration);
  await removeNamespaces();
}

/**
 * Installs the webhook from its image, with two replicas; `configuration` is the text of its PrimerConfiguration.
 * `uninstall` removes it.
 */
export async function installWebhook(configuration: string, issued: KeyPair): Promise<void> {
  const name = webhookImage();
  for (const manifest of manifests) {
    if (manifest.kind === "Deployment") (manifest as Deployment).spec.template.spec.containers[0]!.image = name;
    if (manifest.kind !== "Namespace") await apply(manifest);
    else {
      await createNamespace(manifest.metadata.name, manifest.metadata.labels);
      await writeSecret(issued);
      const data = { "config.yaml": configuration };
      await apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "arc-primer", namespace: "arc-primer" },
        data,
      });
    }
  }
  await rolledOut();
  await register(issued);
}

/** The names of the webhook's pods, including those that are terminating. */
export async function webhookPods(): Promise<string[]> {
  return (await list("Pod", "arc-primer", "app=arc-primer")).map(({ metadata }) => metadata.name);
}

/** The sum of a metric over all replicas and all series whose labels match. */
export async function metric(name: string, labels: RegExp = /./): Promise<number> {
  const texts = await Promise.all(
    (await webhookPods()).map(
      async (pod) => (await call<string>("GET", `/api/v1/namespaces/arc-primer/pods/${pod}:8080/proxy/metrics`)).body,
    ),
  );
  return texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.startsWith(name) && labels.test(line))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

interface RunningPod extends Resource {
  status: { podIP?: string; containerStatuses?: { ready: boolean }[] };
}

/**
 * Lets the node pull the images of the runner pods and of the registry, for at most ten minutes. Later timeouts then do not need
 * to include image pulls.
 */
export async function pullImages(): Promise<void> {
  const namespace = await createNamespace("images", {});
  const { containers, initContainers = [] } = goldenPod("dind-sidecar").spec;
  const images = new Set([...containers, ...initContainers].map((container) => container.image).concat("registry:3"));
  const spec = {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    containers: [...images].map((name, index) => ({
      name: `image-${index}`,
      image: name,
      imagePullPolicy: "IfNotPresent",
      command: ["true"],
    })),
  };
  await apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "pull", namespace }, spec });
  await until("the pull of the images", 600, async () => {
    const { status } = await get<Resource & { status: { phase: string } }>("Pod", namespace, "pull");
    if (status.phase !== "Succeeded") throw new Error(JSON.stringify(status));
    return true;
  });
}

/** A user of a registry that requires a login, and the line for its htpasswd file. */
export interface Login {
  readonly user: string;
  readonly password: string;
  /** `user:hash`. Registries only accept bcrypt hashes: htpasswd -nbB USER PASSWORD. */
  readonly line: string;
}

/**
 * A registry pod that holds one image, `library/hello:1`, in a namespace of that name. Returns its address as pods
 * reach it.
 */
export async function installRegistry(
  name = "registry",
  login?: Login,
): Promise<{ address: string; namespace: string; pod: string }> {
  const namespace = await createNamespace(name, {});
  if (login) {
    const stringData = { htpasswd: `${login.line}\n` };
    await apply({ apiVersion: "v1", kind: "Secret", metadata: { name: "htpasswd", namespace }, stringData });
  }
  const container = {
    name: "registry",
    image: "registry:3",
    imagePullPolicy: "IfNotPresent",
    env: [
      { name: "REGISTRY_HTTP_ADDR", value: ":5000" },
      { name: "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", value: "/var/lib/registry" },
      ...(login
        ? [
            { name: "REGISTRY_AUTH", value: "htpasswd" },
            { name: "REGISTRY_AUTH_HTPASSWD_REALM", value: name },
            { name: "REGISTRY_AUTH_HTPASSWD_PATH", value: "/auth/htpasswd" },
          ]
        : []),
    ],
    readinessProbe: { tcpSocket: { port: 5000 }, periodSeconds: 1 },
    volumeMounts: [
      { name: "data", mountPath: "/var/lib/registry" },
      ...(login ? [{ name: "auth", mountPath: "/auth", readOnly: true }] : []),
    ],
  };
  const volumes = [
    { name: "data", emptyDir: {} },
    ...(login ? [{ name: "auth", secret: { secretName: "htpasswd" } }] : []),
  ];
  // The second container keeps the pod's address when a test stops the first one.
  const keeper = { name: "keeper", image: "registry:3", imagePullPolicy: "IfNotPresent", command: ["sleep", "86400"] };
  const spec = {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    containers: [container, keeper],
    volumes,
  };
  await apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "registry", namespace }, spec });
  const { status } = await until("the registry", 60, async () => {
    const pod = await get<RunningPod>("Pod", namespace, "registry");
    return pod.status.containerStatuses?.every(({ ready }) => ready) ? pod : undefined;
  });
  await fillRegistry(namespace, login);
  return { address: `${status.podIP}:5000`, namespace, pod: "registry" };
}

async function fillRegistry(namespace: string, login?: Login): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-hello-"));
  const archive = join(folder, "hello.tar");
  run(join(here, "hello-image.sh"), archive);
  const forward = spawn(kubectl(), ["port-forward", "-n", namespace, "pod/registry", ":5000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      forward.once("error", reject);
      forward.once("exit", (code) => reject(new Error(`kubectl port-forward ended early, with exit code ${code}`)));
      forward.stdout.on("data", (text: Buffer) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(text.toString())?.[1];
        if (found) resolve(found);
      });
    });
    run(
      "skopeo",
      "copy",
      "--quiet",
      "--insecure-policy",
      "--dest-tls-verify=false",
      ...(login ? [`--dest-creds=${login.user}:${login.password}`] : []),
      `docker-archive:${archive}`,
      `docker://localhost:${port}/library/hello:1`,
    );
  } finally {
    forward.kill();
    rmSync(folder, { recursive: true });
  }
}

/** The kubectl program: KUBECTL, or the one on the PATH. */
export function kubectl(): string {
  return process.env["KUBECTL"] ?? "kubectl";
}
