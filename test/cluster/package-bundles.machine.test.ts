import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../src/bundles/bundle.ts";
import { parseIndexEntry } from "../../src/bundles/index-entry.ts";
import type { Manifest, Values } from "../support/helm.ts";
import { selfSigned } from "../../src/tls/certificate.ts";
import { apply, call, createNamespace, get, list, logs, removeNamespaces, until } from "./support/kube.ts";
import { packageSource } from "./support/packages.ts";
import type { PackageSource } from "./support/packages.ts";
import { install, namespace, objectsOfRelease, onRelease, release, serviceName } from "./support/release.ts";
import { containerNamed, ended, runnerPod, slimImage } from "./support/runner-pod.ts";
import { pullImages, refuseIfInstalled } from "./support/stack.ts";

// Package bundles of the chart, from the build to a pod that uses a bundle while the package repository is down. This process
// serves the repository and records the requests. The cluster has neither DNS nor kube-proxy, so the runner pod has the bundle
// server's address in hostAliases.

const index = `${release}-bundles`;
const packageName = "curl";
let source: PackageSource;
let values: Values;
let name: string;
let installing = false;

const config = (packages: string[]) => ({
  profiles: { default: { prerequisites: { packages, apt: source.apt } } },
});
const podsOf = async (component: string) =>
  list<Manifest>("Pod", namespace, `app.kubernetes.io/component=${component}`);
const server = async (): Promise<Manifest> => (await podsOf(name))[0];

/** Sends a request to a pod of the release. */
const request = async (pod: string, port: number, path: string, method = "GET") =>
  call<string>(method, `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`);

/** The index entry of the bundle. */
async function entry(): Promise<Bundle> {
  const { data = {} } = await get<Manifest>("ConfigMap", namespace, index);
  const found = parseIndexEntry(data[name] ?? "");
  if ("problem" in found) throw new Error(`${found.problem}: ${JSON.stringify(data)}`);
  return found;
}

/** Makes the kubelet update the volumes of these pods now instead of within about a minute. */
async function refreshVolumes(pods: Manifest[]): Promise<void> {
  const patch = { metadata: { annotations: { "arc-primer.dev/refresh": String(Date.now()) } } };
  for (const { metadata } of pods) {
    await call("PATCH", `/api/v1/namespaces/${namespace}/pods/${metadata.name}`, patch, "application/merge-patch+json");
  }
}

/** The value of a pod's metric; `start` is the beginning of its line. */
async function metric(pod: string, start: string): Promise<number> {
  const { body } = await request(pod, 8080, "/metrics");
  return Number(
    body
      .split("\n")
      .find((line) => line.startsWith(start))
      ?.split(" ")
      .at(-1),
  );
}

describe("package bundles", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    await refuseIfInstalled();
    installing = true;
    await pullImages();
    source = await packageSource(packageName);
    await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "baseline" });
    await createNamespace("bundle-runners");
    const now = Date.now();
    const { cert, key } = await selfSigned([serviceName], {
      from: new Date(now - 60_000),
      to: new Date(now + 86_400_000),
    });
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "serving", namespace },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": cert, "tls.key": key },
    });
    values = {
      tls: { provider: "existing-secret", existingSecret: { name: "serving", caBundle: cert } },
      packageBundles: [{ profile: "default", image: slimImage }],
    };
    install({ ...values, config: config([packageName]) }); // without `--wait`, which would block this process and so the repository
    const services = await list<Manifest>("Service", namespace);
    name = services.find(({ metadata }) => metadata.name.startsWith(`${release}-bundle-`))!.metadata.name;
  }, 900_000);
  afterAll(async () => {
    if (!installing) return;
    source?.close();
    onRelease("uninstall", ["--wait", "--ignore-not-found"]);
    await removeNamespaces();
  }, 300_000);

  test("the builder builds a bundle, the server serves it, and the index has its entry", async () => {
    const bundle = await until("the bundle in the index", 180, entry);
    expect(bundle).toMatchObject({ profile: "default", image: slimImage, architecture: "amd64" });
    expect(bundle.packages.join("\n")).toMatch(/^curl 7\./m);
    const { metadata } = await server();
    const { status } = await request(metadata.name, 8081, `/${bundle.sha256}.tar`, "HEAD");
    expect(status).toBe(200);
    expect(source.requests).toContainEqual(expect.stringMatching(/^curl_.*\.deb$/));
  });

  test("the builder has no token, and cannot write its plan", async () => {
    const { spec } = await server();
    const build = spec.containers.find((one: Manifest) => one.name === "build");
    expect(build.volumeMounts.map(({ name: volume }: Manifest) => volume).toSorted()).toEqual(["handover", "plan"]);
    expect(build.volumeMounts.find((one: Manifest) => one.name === "plan").readOnly).toBe(true);
  });

  test("a pod installs the bundle while the repository is down, and cannot write to the server", async () => {
    const bundle = await entry();
    await refreshVolumes(await podsOf("webhook"));
    await until("the bundle in every replica of the webhook", 120, async () => {
      const counts = (await podsOf("webhook")).map(async ({ metadata }) =>
        metric(metadata.name, 'arc_primer_bundles{profile="default"}'),
      );
      return (await Promise.all(counts)).every((count) => count === 1);
    });
    source.close();
    const before = source.requests.length;
    const { status } = await server();
    const host = new URL(bundle.url).hostname;
    const write = ["PUT", "POST", "DELETE"].map(
      (method) => `curl -s -o /dev/null -w '${method} %{http_code}\\n' -X ${method} --data x ${bundle.url}`,
    );
    const job = [
      `${packageName} --version`,
      ...write,
      "ls /var/run/secrets/kubernetes.io 2>/dev/null || echo no token",
    ];
    const pod = await runnerPod("bundled", "bundle-runners", job.join("\n"), {
      layout: "default-mode",
      change(changed) {
        containerNamed(changed, "runner").image = slimImage;
        Object.assign(changed.spec, { hostAliases: [{ ip: status.podIP, hostnames: [host] }] });
      },
    });
    const installer = containerNamed(pod, "arc-primer-prerequisites");
    expect(installer.command).toContain(`bundle=amd64 ${bundle.sha256} ${bundle.url}`);
    const { exitCode, log } = await ended(pod, 120);
    process.stderr.write(await logs("bundle-runners", "bundled", "arc-primer-prerequisites"));
    expect(log).toMatch(
      new RegExp(`packages from the bundle ${bundle.sha256}, built .* 0 h ago; it contains:\\n.*curl 7`),
    );
    expect(log).toMatch(/curl 7\.[^]*PUT 405\nPOST 405\nDELETE 405\nno token\n/);
    expect(exitCode).toBe(0);
    expect(source.requests.length).toBe(before);
    expect((await entry()).sha256).toBe(bundle.sha256);
  });

  test("after a failed build the last bundle is still served, and the metrics show the failure", async () => {
    const { sha256 } = await entry();
    install({ ...values, config: config([packageName, "no-such-package"]) });
    await refreshVolumes(await podsOf(name));
    const { metadata } = await server();
    await until("a failed build", 240, async () => {
      const failed = await metric(metadata.name, 'arc_primer_bundle_builds_total{result="failed"');
      if (failed >= 1) return true;
      throw new Error(await logs(namespace, metadata.name, "serve"));
    });
    expect((await request(metadata.name, 8081, `/${sha256}.tar`, "HEAD")).status).toBe(200);
    expect((await entry()).sha256).toBe(sha256);
    expect(await metric(metadata.name, "arc_primer_bundle_last_build_succeeded")).toBe(0);
    expect((await server()).metadata.name).toBe(metadata.name); // no new pod for a new configuration
  });

  test("an upgrade keeps the index; an uninstall removes everything", async () => {
    const { sha256 } = await entry();
    install(
      { ...values, config: config([packageName]), webhook: { timeoutSeconds: 4 } },
      "--wait",
      "--timeout",
      "180s",
    );
    expect((await entry()).sha256).toBe(sha256);
    onRelease("uninstall", ["--wait"]);
    await until("the removal of all objects", 120, async () => objectsOfRelease().length === 0);
  });
});
