import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import type { Status } from "../../src/report/status.ts";
import { create, createNamespace } from "./support/kube.ts";
import { helloArchive, installMirror, mirrorImages, watchMirror } from "./support/mirror.ts";
import type { Mirror } from "./support/mirror.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhook, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// All clients that pull in a job (dockerd, BuildKit, Dagger) and all registries use one mirror, on a node whose pods have no
// internet access. Docker is 29, and in one test 28, where the image store must be configured. The builders'
// BuildKit image is itself pulled through the mirror.

const harbor = "harbor.example.com:8443";
const images = {
  hub: { name: "hello:1", at: "http /v2/library/hello/" },
  ghcr: { name: "ghcr.io/org/tool:1", at: "http /v2/ghcr/org/tool/" },
  harbor: { name: `${harbor}/team/app:1`, at: "https /v2/harbor/team/app/" },
};
type Image = keyof typeof images;
const kinds = Object.keys(images) as Image[];

/** Defines the job's `step`, which prints `ok NAME` or `failed NAME: WHY`. Waits for Docker, also in unprimed pods. */
const prelude = (limit: number) => `
for i in $(seq 240); do docker version > /dev/null 2>&1 && break; sleep 0.25; done
step() { name=$1; shift; if why=$(timeout "\${limit:-${limit}}" "$@" 2>&1); then echo "ok $name"; else echo "failed $name: $why"; fi; }
mkdir -p /tmp/context; cd /tmp/context; date > file
build() { printf 'FROM %s\\nCOPY file /file\\n' "$1" > Dockerfile; shift; docker buildx build --no-cache "$@" .; }
export -f build
`;
const each = (step: (kind: Image, image: string) => string) => kinds.map((kind) => step(kind, images[kind].name));
const pulls = each((kind, image) => `step pull-${kind} docker pull ${image}`);
const builds = each((kind, image) => `step build-${kind} bash -c 'build ${image} --builder default'`);
// This pulls an image of 90 MB.
const createBuilder = "limit=90 step builder docker buildx create --name one --driver docker-container --bootstrap";
const builderBuilds = each(
  (kind, image) =>
    `step builder-${kind} bash -c 'build ${image} --builder one --output type=docker,dest=/tmp/${kind}.tar'`,
);
const dagger = [
  "step dagger-files test -s $HOME/.config/dagger/engine.json",
  // Mounts like Dagger's CLI (engine/client/drivers/container.go), with a container that only reads the files.
  `docker run --rm -v $HOME/.config/dagger/engine.json:/etc/dagger/engine.json \\
    -v $HOME/.config/dagger/ca-certificates:/usr/local/share/ca-certificates \\
    hello:1 busybox cat /etc/dagger/engine.json /usr/local/share/ca-certificates/arc-primer.crt > /tmp/seen`,
  "cat $HOME/.config/dagger/engine.json $HOME/.config/dagger/ca-certificates/arc-primer.crt > /tmp/own",
  "step dagger-mount cmp /tmp/seen /tmp/own; cat /tmp/seen",
];

let mirror: Mirror;
let installing = false;

async function job(namespace: string, steps: readonly string[], options: { dind?: string; limit?: number } = {}) {
  const answered = await watchMirror();
  const name = `job-${Math.round(performance.now())}`;
  const script = prelude(options.limit ?? 60) + steps.join("\n");
  const pod = await runnerPod(name, namespace, script, {
    change: (created) => options.dind && (containerNamed(created, "dind").image = options.dind),
  });
  const { log } = await ended(pod, 240);
  await sleep(500); // the mirror's log is delayed by the kubelet
  const results = [...log.matchAll(/^(ok|failed) ([\w-]+)/gm)].map(([, result, step]) => `${result} ${step}`);
  return { pod, log, results, requests: await answered() };
}

const all = (result: "ok" | "failed", prefix: string) => kinds.map((kind) => `${result} ${prefix}-${kind}`);

/** Checks that the mirror has served the manifest and a layer of each image to this client. */
function expectServed(requests: readonly string[], client: RegExp): void {
  const lines = requests.filter((line) => client.test(line));
  const served = kinds.map((kind) => {
    const [listener = "", path = ""] = images[kind].at.split(" ");
    const own = lines.filter((line) => line.startsWith(`${listener} `)).join("\n");
    return { kind, manifest: own.includes(`"GET ${path}manifests/`), blob: own.includes(`"GET ${path}blobs/`) };
  });
  expect(served).toEqual(kinds.map((kind) => ({ kind, manifest: true, blob: true })));
}

const status = ({ metadata }: RunnerPod) => JSON.parse(metadata.annotations?.[statusAnnotation] ?? "{}") as Status;

describe("mirrors for every client", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    await refuseIfInstalled();
    installing = true;
    const built = mirrorImages();
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-mirror-"));
    const [hub, buildkit] = [helloArchive(folder, "hub"), join(built, "buildkit.tar")];
    mirror = await installMirror([
      { archive: hub, as: "library/hello:1" },
      { archive: hub, as: "hub/library/hello:1" },
      { archive: helloArchive(folder, "ghcr"), as: "ghcr/org/tool:1" },
      { archive: helloArchive(folder, "harbor"), as: "harbor/team/app:1" },
      { archive: buildkit, as: "moby/buildkit:buildx-stable-1" },
      { archive: buildkit, as: "hub/moby/buildkit:buildx-stable-1" },
    ]);
    rmSync(folder, { recursive: true });
    await installWebhook(JSON.stringify(configuration()), await servingCertificate());
    for (const name of [
      "mirrors",
      "mirrors-dockerd",
      "mirrors-by-name",
      "mirrors-missing",
      "mirrors-28",
      "mirrors-disk",
    ])
      await createNamespace(name);
    await createNamespace("mirrors-off", {});
    const metadata = { name: "corporate-ca", namespace: "mirrors-by-name" };
    await create({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { "bundle.pem": mirror.certificate.cert } });
  }, 600_000);
  afterAll(async () => {
    if (installing) await uninstall();
  }, 180_000);

  test("docker pull from Docker Hub, ghcr.io and a registry with a private certificate", async () => {
    const { pod, results, requests } = await job("mirrors", pulls);
    expect(status(pod).applied).toContain("registry-hosts");
    expect(results).toEqual(all("ok", "pull"));
    expectServed(requests, /"docker\/29/);
  });

  test("Docker 28, for which the webhook chooses the image store that reads hosts.toml", async () => {
    const { pod, results, requests } = await job("mirrors-28", pulls, { dind: "docker:28-dind" });
    expect(status(pod).applied).toContain("registry-hosts");
    expect(containerNamed(pod, "dind").args).toContain("--feature=containerd-snapshotter=true");
    expect(results).toEqual(all("ok", "pull"));
    expectServed(requests, /"docker\/28/);
  });

  test("with Docker's data on a separate volume", async () => {
    const { pod, results, requests } = await job("mirrors-disk", pulls);
    expect(status(pod).applied).toEqual(expect.arrayContaining(["docker-data", "registry-hosts"]));
    expect(results).toEqual(all("ok", "pull"));
    expectServed(requests, /"docker\/29/);
  });

  test("with the default image store of Docker 28, only Docker Hub is mirrored, and the pod's status shows why", async () => {
    const { pod, results } = await job("mirrors", pulls, { dind: "docker:28-dind", limit: 20 });
    expect(status(pod).notes).toMatchObject({ "registry-hosts": ["image-store"] });
    expect(results).toEqual(["ok pull-hub", "failed pull-ghcr", "failed pull-harbor"]);
  });

  test("docker build, with a base image from each registry", async () => {
    const { results, requests } = await job("mirrors", builds);
    expect(results).toEqual(all("ok", "build"));
    expectServed(requests, /"buildkit\//);
  });

  test("a direct pull from a registry with a private certificate, which the runner also trusts", async () => {
    const { log, results } = await job("mirrors", [
      `step pull-direct docker pull ${mirror.https}/harbor/team/app:1`,
      `step system-store bash -c 'openssl s_client -connect ${mirror.https} -verify_ip ${mirror.https.split(":")[0]} -verify_return_error < /dev/null'`,
      'echo "node reads: $(cat "$NODE_EXTRA_CA_CERTS")"',
    ]);
    expect(results).toEqual(["ok pull-direct", "ok system-store"]);
    expect(log).toContain(`node reads: ${mirror.certificate.cert.trim()}`);
  });

  test("a builder of buildx, whose own BuildKit image also comes from the mirror", async () => {
    const { log, results, requests } = await job("mirrors", [
      createBuilder,
      ...builderBuilds,
      "stat -c 'owner %U of %n' $HOME/.docker $HOME/.docker/buildx $HOME/.config",
    ]);
    expect(results).toEqual(["ok builder", ...all("ok", "builder")]);
    expect(requests.join("\n")).toMatch(/"GET \/v2\/moby\/buildkit\/blobs\/.*"docker\/29/);
    expectServed(requests, /"buildkit\//);
    expect(log.match(/^owner \S+/gm)).toEqual(["owner runner", "owner runner", "owner runner"]);
  });

  test("Dagger's files are the same in both containers, as Docker's bind mount shows", async () => {
    const { log, results } = await job("mirrors", dagger);
    expect(results).toEqual(["ok dagger-files", "ok dagger-mount"]);
    expect(log).toContain(`"${mirror.http}/ghcr"`);
    expect(log).toContain(mirror.certificate.cert.trim());
  });

  test("with only dockerd's configuration, a builder starts but cannot pull, and Dagger finds no files", async () => {
    const { results } = await job("mirrors-dockerd", [createBuilder, ...builderBuilds, dagger[0] ?? ""], { limit: 20 });
    expect(results).toEqual(["ok builder", ...all("failed", "builder"), "failed dagger-files"]);
  });

  test("without the webhook, each of these fails, and the mirror gets no requests", async () => {
    const steps = [...pulls, ...builds, createBuilder, dagger[0] ?? ""];
    const { pod, results, requests } = await job("mirrors-off", steps, { limit: 10 });
    expect(pod.metadata.annotations).not.toHaveProperty(statusAnnotation);
    expect(results).toEqual([
      ...all("failed", "pull"),
      ...all("failed", "build"),
      "failed builder",
      "failed dagger-files",
    ]);
    expect(requests).toEqual([]);
  });

  test("certificates from a ConfigMap in the runner's namespace, and a mirror of Docker Hub at a path after /v2", async () => {
    const harborOnly = (steps: readonly string[]) => steps[kinds.indexOf("harbor")] ?? "";
    const { log, results, requests } = await job("mirrors-by-name", [
      harborOnly(pulls),
      createBuilder,
      harborOnly(builderBuilds),
      "docker pull --quiet hello:1",
      ...dagger,
    ]);
    expect(results).toEqual([
      "ok pull-harbor",
      "ok builder",
      "ok builder-harbor",
      "ok dagger-files",
      "ok dagger-mount",
    ]);
    expect(log).toContain(mirror.certificate.cert.trim());
    expect(requests.join("\n")).toMatch(/"GET \/v2\/hub\/library\/hello\/blobs\//);
  });

  test("a missing ConfigMap blocks nothing: the job runs, the log shows it, and other registries work", async () => {
    const { log, results } = await job("mirrors-missing", [...pulls, createBuilder, ...builderBuilds], { limit: 25 });
    expect(log).toContain("is missing, so private certificates are not trusted");
    const expected = (prefix: string) => [`ok ${prefix}-hub`, `ok ${prefix}-ghcr`, `failed ${prefix}-harbor`];
    expect(results).toEqual([...expected("pull"), "ok builder", ...expected("builder")]);
  });
});

function configuration(): object {
  const registries = {
    "docker.io": { mirrors: [{ url: `http://${mirror.http}` }] },
    "ghcr.io": { mirrors: [{ url: `http://${mirror.http}/v2/ghcr` }] },
    [harbor]: { mirrors: [{ url: `https://${mirror.https}/v2/harbor`, privateCA: true }] },
    [mirror.https]: { privateCA: true },
  };
  return {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: { registries, privateCA: { pem: mirror.certificate.cert, runner: true } },
      "dockerd-only": { extends: "default", buildkit: { enabled: false }, dagger: { enabled: false } },
      "docker-28": { extends: "default", docker: { imageStore: "containerd" } },
      disk: { extends: "default", docker: { data: { emptyDir: { sizeLimit: "10Gi" } } } },
      "by-name": {
        // A path after /v2, as in Harbor. No flag of dockerd supports this, so Docker Hub gets a hosts.toml, too.
        registries: { ...registries, "docker.io": { mirrors: [{ url: `http://${mirror.http}/v2/hub` }] } },
        privateCA: { configMap: { name: "corporate-ca", key: "bundle.pem" }, runner: true },
      },
    },
    rules: [
      { namespaces: ["mirrors-28"], profile: "docker-28" },
      { namespaces: ["mirrors-disk"], profile: "disk" },
      { namespaces: ["mirrors-dockerd"], profile: "dockerd-only" },
      { namespaces: ["mirrors-by-name", "mirrors-missing"], profile: "by-name" },
    ],
  };
}
