import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KeyPair } from "../../../src/tls/certificate.ts";
import { selfSigned } from "../../../src/tls/certificate.ts";
import { apply, createNamespace, get, logs, until } from "./kube.ts";
import type { Resource } from "./kube.ts";
import { kubectl } from "./stack.ts";

// A registry that acts as the mirror of several other registries, over HTTP and, with a private certificate, over HTTPS.

const here = fileURLToPath(new URL("..", import.meta.url));
const namespace = "mirror";
const pod = "mirror";

export interface Mirror {
  /** The address for HTTP, as seen from pods: host:port. */
  readonly http: string;
  /** The address for HTTPS. The certificate is `certificate`, which is self-signed. */
  readonly https: string;
  readonly certificate: KeyPair;
}

function run(command: string, args: readonly string[], input?: string): string {
  const { status, error, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
    ...(input !== undefined && { input }),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`, { cause: error });
  return stdout;
}

/** Loads the images of these tests into the node, unless it has them. Returns the directory with the archives. */
export function mirrorImages(): string {
  const folder = run(join(here, "bare/mirror-images.sh"), []).trim().split("\n").at(-1)!;
  run(join(here, "bare/load-image.sh"), [join(folder, "docker28-dind.tar")]);
  return folder;
}

interface RunningPod extends Resource {
  status: { podIP?: string; containerStatuses?: { ready: boolean; state: { running?: object } }[] };
}

/** Starts the mirror and pushes the images: each `archive` under the name `as`, a path below /v2. */
export async function installMirror(contents: readonly { archive: string; as: string }[]): Promise<Mirror> {
  await createNamespace(namespace, {});
  const container = (name: string, port: number, env: Record<string, string>) => ({
    name,
    image: "registry:3",
    imagePullPolicy: "IfNotPresent",
    // The certificate contains the pod's address, which is known only when the pod runs.
    command: ["sh", "-c", 'until [ -f /certs/ready ]; do sleep 0.1; done; exec "$@"', "wait"],
    args: ["registry", "serve", "/etc/distribution/config.yml"],
    env: Object.entries({
      REGISTRY_HTTP_ADDR: `:${port}`,
      REGISTRY_HTTP_DEBUG_ADDR: `:${port + 1}`, // both share the pod's network
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: "/var/lib/registry",
      ...env,
    }).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    volumeMounts: [
      { name: "data", mountPath: "/var/lib/registry" },
      { name: "certs", mountPath: "/certs" },
    ],
  });
  const tls = { REGISTRY_HTTP_TLS_CERTIFICATE: "/certs/tls.crt", REGISTRY_HTTP_TLS_KEY: "/certs/tls.key" };
  const containers = [container("http", 5000, {}), container("https", 5443, tls)];
  const volumes = ["data", "certs"].map((name) => ({ name, emptyDir: {} }));
  await apply({ apiVersion: "v1", kind: "Pod", metadata: { name: pod, namespace }, spec: { containers, volumes } });
  const { status } = await until("the mirror's containers", 60, async () => {
    const found = await get<RunningPod>("Pod", namespace, pod);
    return found.status.containerStatuses?.every(({ state }) => state.running) ? found : undefined;
  });
  const address = status.podIP!;
  const now = Date.now();
  const certificate = await selfSigned([address], { from: new Date(now - 60_000), to: new Date(now + 86_400_000) });
  for (const [file, text] of [
    ["tls.crt", certificate.cert],
    ["tls.key", certificate.key],
    ["ready", ""],
  ] as const)
    run(kubectl(), ["exec", "-i", "-n", namespace, pod, "-c", "http", "--", "sh", "-c", `cat > /certs/${file}`], text);
  await until("the mirror", 60, async () => {
    const { containerStatuses } = (await get<RunningPod>("Pod", namespace, pod)).status;
    if (!containerStatuses?.every(({ ready }) => ready)) throw new Error(JSON.stringify(containerStatuses));
    return true;
  });
  await fill(contents);
  return { http: `${address}:5000`, https: `${address}:5443`, certificate };
}

/** A mirror for the kubelet, on the node's loopback address, for which containerd uses plain HTTP by default. */
export const nodeMirror = { namespace: "kubelet-mirror", pod: "mirror", port: 5055, address: "127.0.0.1:5055" };

/** Starts `nodeMirror`, which logs its requests. */
export async function startNodeMirror(): Promise<void> {
  const { port } = nodeMirror;
  await createNamespace(nodeMirror.namespace, {});
  const container = {
    name: "registry",
    image: "registry:3",
    imagePullPolicy: "IfNotPresent",
    env: [
      { name: "REGISTRY_HTTP_ADDR", value: nodeMirror.address },
      { name: "REGISTRY_HTTP_DEBUG_ADDR", value: `127.0.0.1:${port + 1}` },
      { name: "OTEL_TRACES_EXPORTER", value: "none" },
    ],
    readinessProbe: { tcpSocket: { host: "127.0.0.1", port }, periodSeconds: 1 },
    volumeMounts: [{ name: "data", mountPath: "/var/lib/registry" }],
  };
  const spec = { hostNetwork: true, containers: [container], volumes: [{ name: "data", emptyDir: {} }] };
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: nodeMirror.pod, namespace: nodeMirror.namespace },
    spec,
  });
  await until(`the mirror on port ${port}`, 60, async () => {
    const { status } = await get<RunningPod>("Pod", nodeMirror.namespace, nodeMirror.pod);
    return status.containerStatuses?.some(({ ready }) => ready);
  });
}

/** Pushes images to a registry that runs as a pod. The default is the mirror. */
export async function fill(
  contents: readonly { archive: string; as: string }[],
  registry: { namespace: string; pod: string; port: number } = { namespace, pod, port: 5000 },
): Promise<void> {
  const target = [`pod/${registry.pod}`, `:${registry.port}`];
  const forward = spawn(kubectl(), ["port-forward", "-n", registry.namespace, ...target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      forward.once("error", reject);
      forward.stdout.on("data", (text: Buffer) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(text.toString())?.[1];
        if (found) resolve(found);
      });
    });
    for (const { archive, as } of contents) {
      const address = `docker://localhost:${port}/${as}`;
      run("skopeo", [
        "copy",
        "--quiet",
        "--insecure-policy",
        "--dest-tls-verify=false",
        `docker-archive:${archive}`,
        address,
      ]);
    }
  } finally {
    forward.kill();
  }
}

/** Builds a small image for jobs to pull, as an archive in `folder`. Each name gives a different image. */
export function helloArchive(folder: string, name: string): string {
  const archive = join(folder, `${name}.tar`);
  run(join(here, "hello-image.sh"), [archive, `hello from ${name}`]);
  return archive;
}

/**
 * Watches the successful requests of the mirror. The returned function returns the requests since then, one per line:
 * `http 10.0.0.1 … "GET /v2/…" 200 … "USER AGENT"`, or `https …`.
 */
export async function watchMirror(): Promise<() => Promise<string[]>> {
  const read = async (listener: string) =>
    (await logs(namespace, pod, listener))
      .split("\n")
      .filter((line) => /"GET \/v2\/\S+ HTTP\/[\d.]+" 200 /.test(line))
      .map((line) => `${listener} ${line}`);
  const before = { http: (await read("http")).length, https: (await read("https")).length };
  return async () => [...(await read("http")).slice(before.http), ...(await read("https")).slice(before.https)];
}
