import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "../../src/tls/certificate.ts";
import type { Manifest, Values } from "../support/helm.ts";
import { apply, call, createNamespace, get, removeNamespaces, until } from "./support/kube.ts";
import { fill, helloArchive } from "./support/mirror.ts";
import { cacheOnNode, install, kubectlPrints, namespace, onRelease, release, serviceName } from "./support/release.ts";
import { ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installRegistry, refuseIfInstalled } from "./support/stack.ts";

// The chart's cache with a certificate, as jobs use it: pulls after something has expired, and after the cache has restarted.
// Two images share a layer. With the default settings of registry 3, this layer would be served empty.

const cache = `${release}-cache-docker-io`;
const host = `${cache}.${namespace}.svc.cluster.local`;
const ttl = 40;

let hub: Awaited<ReturnType<typeof installRegistry>>;
let installing = false;
let values: { tls: Values; registryCache: Values };

/** Installs the chart with this ttl, or changes the ttl. Waits until the cache is ready. */
function installCache(duration: string): void {
  const registryCache = { ...values.registryCache, ttl: duration };
  install({ ...values, registryCache }, "--wait", "--timeout", "120s");
}

async function issue(name: string) {
  const now = Date.now();
  return selfSigned([name], { from: new Date(now - 60_000), to: new Date(now + 86_400_000) });
}

const pull = (image: string) => `docker pull --quiet ${image} && docker run --rm ${image}`;

let count = 0;
/** Runs a job and returns its log. The pod gets the cache's address, because the cluster has neither DNS nor kube-proxy. */
async function job(script: string): Promise<string> {
  const { podIP } = (await get<Manifest>("Pod", namespace, `${cache}-0`)).status;
  const pod = await runnerPod(`job-${(count += 1)}`, "cache-runners", script, {
    change: ({ spec }) => Object.assign(spec, { hostAliases: [{ ip: podIP, hostnames: [host] }] }),
  });
  return (await ended(pod, 240)).log;
}

/** How many blobs were served from the cache, and how many were not, since the cache started. */
async function counted(): Promise<{ hits: number; misses: number }> {
  const { body } = await call<string>("GET", `/api/v1/namespaces/${namespace}/pods/${cache}-0:5001/proxy/metrics`);
  const value = (name: string) =>
    Number(new RegExp(`^registry_proxy_${name}_total\\{type="blob"\\} (\\S+)$`, "m").exec(body)?.[1]);
  return { hits: value("hits"), misses: value("misses") };
}

describe("the chart's cache with TLS", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    await refuseIfInstalled();
    installing = true;
    await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
    await createNamespace("cache-runners");
    hub = await installRegistry("cache-hub");
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-cache-"));
    const archive = helloArchive(folder, "the hub");
    await fill(
      ["library/one:1", "library/two:1"].map((as) => ({ archive, as })),
      { namespace: hub.namespace, pod: hub.pod, port: 5000 },
    );
    rmSync(folder, { recursive: true });
    const [serving, caches] = [await issue(serviceName), await issue(host)];
    for (const [name, { cert, key }] of Object.entries({ serving, caches })) {
      const stringData = { "tls.crt": cert, "tls.key": key };
      await apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace },
        type: "kubernetes.io/tls",
        stringData,
      });
    }
    values = {
      tls: { provider: "existing-secret", existingSecret: { name: "serving", caBundle: serving.cert } },
      registryCache: {
        ...cacheOnNode,
        upstreams: { "docker.io": { url: `http://${hub.address}` } },
        tls: { secretName: "caches", caBundle: caches.cert },
      },
    };
    installCache(`${ttl}s`);
  }, 600_000);
  afterAll(async () => {
    if (!installing) return;
    onRelease("uninstall", ["--wait", "--ignore-not-found"]);
    await removeNamespaces();
  }, 300_000);

  test("a layer that two images share is served completely after it has expired for one of them", async () => {
    const log = await job(
      [
        pull("one:1"),
        `sleep ${ttl / 2}`,
        pull("two:1"),
        "docker image rm --force one:1 two:1",
        `sleep ${ttl / 2 + 5}`,
        `${pull("two:1")} && echo complete`,
      ].join("\n"),
    );
    expect(log).toContain("complete");
  });

  test("it counts hits and misses, and serves cached images after a restart and while the upstream is down", async () => {
    installCache("1h"); // creates another pod, which starts with an empty cache
    expect(await job(pull("one:1"))).toContain("hello from the hub");
    expect((await counted()).misses).toBeGreaterThan(0);
    expect(await job(pull("one:1"))).toContain("hello from the hub");
    expect((await counted()).hits).toBeGreaterThan(0);

    // The upstream must be running for this, because registry 3 does not start without it.
    const registry = async () => (await get<Manifest>("Pod", namespace, `${cache}-0`)).status.containerStatuses[0];
    const before = (await registry()).restartCount as number;
    kubectlPrints(["exec", "-n", namespace, `${cache}-0`, "-c", "registry", "--", "kill", "1"]);
    await until("the restarted cache", 60, async () => {
      const now = await registry();
      if (now.restartCount > before && now.ready) return true;
      throw new Error(JSON.stringify(now));
    });
    const { misses } = await counted();
    expect(await job(pull("one:1"))).toContain("hello from the hub");
    expect((await counted()).misses).toBe(misses);

    kubectlPrints(["exec", "-n", hub.namespace, hub.pod, "-c", "registry", "--", "kill", "1"]);
    await until("the upstream's exit", 30, async () => {
      const { status } = await get<RunnerPod>("Pod", hub.namespace, hub.pod);
      return status?.containerStatuses?.find(({ name }) => name === "registry")?.state.terminated;
    });
    expect(await job(pull("one:1"))).toContain("hello from the hub");
  });
});
