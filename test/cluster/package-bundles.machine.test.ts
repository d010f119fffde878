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

// Package bundles by the chart, from the build to a pod that takes one while there is no package repository at all. This
// process serves the repository, and sees what is asked. The cluster has neither DNS nor kube-proxy: runner pods get the
// bundle server's address.

const index = `${release}-bundles`;
const lacking = "curl";
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

/** What a pod of the release answers. */
const ask = async (pod: string, port: number, path: string, method = "GET") =>
  call<string>(method, `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`);

/** The entry of the bundle in the index. */
async function entry(): Promise<Bundle> {
  const { data = {} } = await get<Manifest>("ConfigMap", namespace, index);
  const found = parseIndexEntry(data[name] ?? "");
  if ("problem" in found) throw new Error(`${found.problem}: ${JSON.stringify(data)}`);
  return found;
}

/** Makes the kubelet look at the volumes of these pods now, rather than within a minute or so. */
async function look(pods: Manifest[]): Promise<void> {
  const patch = { metadata: { annotations: { "arc-primer.dev/look": String(Date.now()) } } };
  for (const { metadata } of pods) {
    await call("PATCH", `/api/v1/namespaces/${namespace}/pods/${metadata.name}`, patch, "application/merge-patch+json");
  }
}

/** A metric of a pod, by the beginning of its line. */
async function metric(pod: string, start: string): Promise<number> {
  const { body } = await ask(pod, 8080, "/metrics");
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
    source = await packageSource(lacking);
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
    install({ ...values, config: config([lacking]) }); // `--wait` would block this process, which serves the repository
    const services = await list<Manifest>("Service", namespace);
    name = services.find(({ metadata }) => metadata.name.startsWith(`${release}-bundle-`))!.metadata.name;
  }, 900_000);
  afterAll(async () => {
    if (!installing) return;
    source?.close();
    onRelease("uninstall", ["--wait", "--ignore-not-found"]);
    await removeNamespaces();
  }, 300_000);

  test("the builder builds, and the index names what the server serves", async () => {
    const bundle = await until("the bundle in the index", 180, entry);
    expect(bundle).toMatchObject({ profile: "default", image: slimImage, architecture: "amd64" });
    expect(bundle.packages.join("\n")).toMatch(/^curl 7\./m);
    const { metadata } = await server();
    const { status } = await ask(metadata.name, 8081, `/${bundle.sha256}.tar`, "HEAD");
    expect(status).toBe(200);
    expect(source.requests).toContainEqual(expect.stringMatching(/^curl_.*\.deb$/));
  });

  test("the builder has no token, and cannot write its plan", async () => {
    const { spec } = await server();
    const build = spec.containers.find((one: Manifest) => one.name === "build");
    expect(build.volumeMounts.map(({ name: volume }: Manifest) => volume).toSorted()).toEqual(["handover", "plan"]);
    expect(build.volumeMounts.find((one: Manifest) => one.name === "plan").readOnly).toBe(true);
  });

  test("a pod takes the bundle while there is no repository, and can write nothing", async () => {
    const bundle = await entry();
    await look(await podsOf("webhook"));
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
    const job = [`${lacking} --version`, ...write, "ls /var/run/secrets/kubernetes.io 2>/dev/null || echo no token"];
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

  test("a build that fails leaves the bundle in service, and the next ones to the alert", async () => {
    const { sha256 } = await entry();
    install({ ...values, config: config([lacking, "no-such-package"]) });
    await look(await podsOf(name));
    const { metadata } = await server();
    await until("a failed build", 240, async () => {
      const failed = await metric(metadata.name, 'arc_primer_bundle_builds_total{result="failed"');
      if (failed >= 1) return true;
      throw new Error(await logs(namespace, metadata.name, "serve"));
    });
    expect((await ask(metadata.name, 8081, `/${sha256}.tar`, "HEAD")).status).toBe(200);
    expect((await entry()).sha256).toBe(sha256);
    expect(await metric(metadata.name, "arc_primer_bundle_last_build_succeeded")).toBe(0);
    expect((await server()).metadata.name).toBe(metadata.name); // no new pod for a new configuration
  });

  test("an upgrade leaves the index; an uninstall leaves nothing", async () => {
    const { sha256 } = await entry();
    install({ ...values, config: config([lacking]), webhook: { timeoutSeconds: 4 } }, "--wait", "--timeout", "180s");
    expect((await entry()).sha256).toBe(sha256);
    onRelease("uninstall", ["--wait"]);
    await until("the end of all objects", 120, async () => objectsOfRelease().length === 0);
  });
});
