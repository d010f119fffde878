import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { selfSigned } from "../../src/tls/certificate.ts";
import type { KeyPair } from "../../src/tls/certificate.ts";
import { chartFolder } from "../support/helm.ts";
import type { Manifest, Values } from "../support/helm.ts";
import { renew, startCertManager } from "./support/cert-manager.ts";
import { apply, call, createNamespace, get, list, logs, remove, removeNamespaces, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import {
  cacheOnNode,
  install,
  kubectlPrints,
  namespace,
  objectsOfRelease,
  onRelease,
  release,
  serviceName,
  withImage,
} from "./support/release.ts";
import { containerNamed, ended, runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installRegistry } from "./support/stack.ts";

// Tests the chart on a cluster: installed by Helm with each TLS provider, upgraded, and uninstalled.

const job = 'docker version --format "docker {{.Server.Version}}" || exit 9\necho run.sh done';
const registrationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${release}`;
const status = (pod: Resource) => pod.metadata.annotations?.[statusAnnotation];
const podsOf = async () => list<Manifest>("Pod", namespace, "app.kubernetes.io/component=webhook");
const names = (objects: Resource[]) => objects.map(({ metadata }) => metadata.name).toSorted();

let count = 0;
/** Creates a runner pod with a name that no other runner pod has. */
const runner = async (where: string, script = job, change?: (pod: RunnerPod) => void) =>
  runnerPod(`runner-${(count += 1)}`, where, script, change ? { change } : {});

/** Creates runner pods until one is primed (or not), because a webhook configuration takes effect with a delay. */
async function primed(expected: boolean): Promise<void> {
  await until(`a pod that is ${expected ? "" : "not "}primed`, 30, async () => {
    const pod = await runner("chart-runners");
    await remove(pod, 0);
    return (status(pod) !== undefined) === expected;
  });
}

async function issue(): Promise<KeyPair> {
  const now = Date.now();
  return selfSigned([serviceName], { from: new Date(now - 60_000), to: new Date(now + 86_400_000) });
}

async function writeSecret(name: string, { cert, key }: KeyPair): Promise<void> {
  const stringData = { "tls.crt": cert, "tls.key": key, "ca.crt": cert };
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "kubernetes.io/tls",
    stringData,
  });
}

beforeAll(() => void withImage({}), 600_000); // builds the image

beforeAll(async () => {
  // The webhook configuration of this tier's other file would prime pods, too.
  await call("DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer");
  await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
  await createNamespace("chart-runners");
  await createNamespace("chart-unlabelled", {});
});

// Waits until the namespaces are gone, because the next file creates namespaces with the same names.
afterAll(async () => removeNamespaces(), 600_000);

/** Tests what every installation must do, regardless of its TLS provider. */
function testsOfInstallation(): void {
  test("two replicas are ready, in a namespace that enforces Pod Security `restricted`", async () => {
    const ready = (await podsOf()).filter((pod) => pod.status.containerStatuses?.every((one: Manifest) => one.ready));
    expect(ready).toHaveLength(2);
  });

  test("a stock runner pod in a labelled namespace is primed and reaches run.sh", async () => {
    await primed(true);
    const pod = await runner("chart-runners");
    expect(status(pod)).toContain('"wait-for-docker"');
    const { exitCode, log } = await ended(pod, 90);
    expect(log).toMatch(/arc-primer: ready to start after .*\ndocker \d+\.\S+\nrun\.sh done\n$/);
    expect(exitCode).toBe(0);
  });

  test("a runner pod in a namespace without the label is not changed", async () => {
    const pod = await runner("chart-unlabelled");
    expect(status(pod)).toBeUndefined();
    expect(containerNamed(pod, "runner").command).toEqual(["/home/runner/run.sh"]);
    await remove(pod, 0);
  });

  test("helm test passes, and leaves no objects behind", () => {
    const before = objectsOfRelease();
    expect(onRelease("test", ["--timeout", "120s"]).stdout).toMatch(/Phase:\s+Succeeded/);
    expect(objectsOfRelease().filter((name) => !before.includes(name) && !name.startsWith("namespace/"))).toEqual([]);
  });
}

function testsOfUninstallation(): void {
  test("uninstalling leaves only the namespace's label", { timeout: 180_000 }, async () => {
    onRelease("uninstall", ["--wait"]);
    await until("the deletion of all objects", 90, async () => objectsOfRelease().length === 0);
    expect(await get("Namespace", "", "chart-runners")).toMatchObject({
      metadata: { labels: { "arc-primer.dev/inject": "enabled" } },
    });
    const pod = await runner("chart-runners");
    expect(status(pod)).toBeUndefined();
    await remove(pod, 0);
  });
}

describe("with an existing Secret", () => {
  let values: Values;
  beforeAll(async () => {
    const certificate = await issue();
    await writeSecret("serving", certificate);
    values = { tls: { provider: "existing-secret", existingSecret: { name: "serving", caBundle: certificate.cert } } };
    install(values, "--wait", "--timeout", "120s");
  });

  testsOfInstallation();

  test("the notes explain how to label a namespace, and how to check that it works", () => {
    const notes = onRelease("get notes").stdout;
    expect(notes).toContain("kubectl label namespace NAMESPACE arc-primer.dev/inject=enabled");
    expect(notes).toContain(`helm test ${release} -n ${namespace}`);
  });

  test("helm test fails if the webhook primes nothing, and says so", { timeout: 240_000 }, async () => {
    const without = { ...values, config: { profiles: { default: { enabled: false } } } };
    install(without);
    await configurationRead();
    expect(() => onRelease("test", ["--timeout", "150s"])).toThrow(/failed/i);
    expect(await logs(namespace, `${release}-test`, "test")).toContain("created unprimed");
    install(values);
    await configurationRead();
    onRelease("test", ["--timeout", "120s"]); // deletes the pod of the failed test
  });

  test("a changed configuration takes effect without a restart; a rollback restores the first one", async () => {
    const before = await podsOf();
    install({ ...values, config: { mode: "audit" } });
    await configurationRead();
    await primed(false);
    onRelease("rollback");
    await configurationRead();
    await primed(true);
    expect(names(await podsOf())).toEqual(names(before));
  });

  test(
    "an upgrade to other values replaces the pods one by one, and so does a rollback",
    { timeout: 240_000 },
    async () => {
      const before = await podsOf();
      install({ ...values, replicas: 1, webhook: { port: 10443, timeoutSeconds: 3 } }, "--wait", "--timeout", "120s");
      await until("one pod", 60, async () => (await podsOf()).length === 1);
      const { body } = await call<Manifest>("GET", registrationPath);
      expect(body.webhooks.map(({ timeoutSeconds }: Manifest) => timeoutSeconds)).toEqual([3, 3, 3]);
      await primed(true);
      onRelease("rollback", ["--wait", "--timeout", "120s"]);
      await until("two pods", 60, async () => (await podsOf()).length === 2);
      expect(names(await podsOf())).not.toEqual(names(before));
      await primed(true);
    },
  );

  testsOfUninstallation();
});

/** Waits until all pods have read the current ConfigMap. Changing a pod makes the kubelet update its volumes. */
async function configurationRead(): Promise<void> {
  const accepted = 'arc_primer_reloads_total{what="config",result="accepted"} ';
  const reads = async () => {
    const pods = names(await podsOf());
    const texts = pods.map(
      async (pod) => (await call<string>("GET", `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/metrics`)).body,
    );
    const lines = (await Promise.all(texts)).map((text) => text.split("\n").find((line) => line.startsWith(accepted)));
    return lines.map((line) => Number(line?.slice(accepted.length)));
  };
  const before = await reads();
  for (const pod of names(await podsOf())) {
    const patch = { metadata: { annotations: { "arc-primer.dev/look": String(Date.now()) } } };
    await call("PATCH", `/api/v1/namespaces/${namespace}/pods/${pod}`, patch, "application/merge-patch+json");
  }
  await until("the configuration in every pod", 100, async () =>
    (await reads()).every((reloads, index) => reloads > before[index]!),
  );
}

describe("with cert-manager", () => {
  const secretOf = async (name: string) =>
    (await call<Manifest>("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`)).body.data as
      Record<string, string> | undefined;
  const ready = (where: string) =>
    kubectlPrints(
      ["wait", "-n", where, "--for=condition=Ready", "--timeout=60s"].concat(
        ["ca", "tls"].map((name) => `certificate/${release}-${name}`),
      ),
    );
  let stop: () => Promise<void>;

  beforeAll(async () => {
    stop = await startCertManager();
    install({ tls: { provider: "cert-manager" } }, "--wait", "--timeout", "120s");
  }, 240_000);
  afterAll(async () => stop?.(), 120_000);

  testsOfInstallation();

  test("the certificate is from the chart's CA and for the Service's name, and all three entries trust that CA", async () => {
    ready(namespace);
    const ca = (await secretOf(`${release}-ca`))?.["tls.crt"] ?? "";
    const served = new X509Certificate(Buffer.from((await secretOf(`${release}-tls`))?.["tls.crt"] ?? "", "base64"));
    expect(served.checkIssued(new X509Certificate(Buffer.from(ca, "base64")))).toBe(true);
    expect(served.checkHost(serviceName)).toBe(serviceName);
    const { webhooks } = (await call<Manifest>("GET", registrationPath)).body;
    expect(webhooks.map(({ clientConfig }: Manifest) => clientConfig.caBundle)).toEqual([ca, ca, ca]);
  });

  test("all pods that are created during renewals of the certificate are primed", async () => {
    const replicas = names(await podsOf());
    const reloads = async () =>
      Promise.all(
        replicas.map(async (name) => {
          const path = `/api/v1/namespaces/${namespace}/pods/${name}:8080/proxy/metrics`;
          const { body } = await call<string>("GET", path);
          const accepted = 'arc_primer_reloads_total{what="certificate",result="accepted"} ';
          return Number(
            body
              .split("\n")
              .find((line) => line.startsWith(accepted))
              ?.slice(accepted.length),
          );
        }),
      );
    const statuses: unknown[] = [];
    const renewals = async () => {
      // At least three, and as many as it takes to create more than 30 pods meanwhile.
      for (let round = 1; round <= 3 || statuses.length <= 30; round += 1) {
        const before = await reloads();
        await renew(namespace, `${release}-tls`);
        // Changing a pod makes the kubelet update its volumes now. Otherwise it takes up to about a minute.
        for (const name of replicas) {
          const patch = { metadata: { annotations: { "arc-primer.dev/look": String(Date.now()) } } };
          const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
          await call("PATCH", path, patch, "application/merge-patch+json");
        }
        await until("the new certificate in both replicas", 100, async () =>
          (await reloads()).every((read, index) => read > before[index]!),
        );
      }
    };
    const end = new AbortController();
    const creations = async () => {
      while (!end.signal.aborted) {
        const pod = await runner(
          "chart-runners",
          "true",
          ({ spec }) => (spec.nodeSelector = { "example.com/no": "node" }),
        );
        statuses.push(status(pod));
        await remove(pod, 0);
      }
    };
    const results = await Promise.allSettled([renewals().finally(() => end.abort()), creations()]);
    expect(results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []))).toEqual([]);
    process.stderr.write(`  ${statuses.length} pods were created during the renewals\n`);
    expect(statuses.length).toBeGreaterThan(30);
    expect(statuses.filter((one) => one === undefined)).toEqual([]);
  }, 300_000);

  testsOfUninstallation();

  test("the plain manifests become ready and prime pods", { timeout: 240_000 }, async () => {
    const { repository, tag } = withImage({})["image"] as { repository: string; tag: string };
    const manifests = readFileSync(join(chartFolder, "../../deploy/arc-primer.yaml"), "utf8");
    const here = manifests.replace(/^(\s*)image: .*$/m, `$1image: ${repository}:${tag}`);
    kubectlPrints(["apply", "--server-side", "-f", "-"], here);
    try {
      kubectlPrints(["rollout", "status", "-n", "arc-primer", "deployment/arc-primer", "--timeout=120s"]);
      ready("arc-primer");
      await primed(true);
      const pod = await runner("chart-runners");
      expect((await ended(pod, 90)).log).toMatch(/ready to start after .*\ndocker \d+\.\S+\nrun\.sh done\n$/);
    } finally {
      kubectlPrints(["delete", "--ignore-not-found", "--wait", "--timeout=120s", "-f", "-"], here);
    }
  });
});

describe("with certificates that the webhook creates itself", () => {
  const secretPath = `/api/v1/namespaces/${namespace}/secrets/${release}-self-managed`;
  const secretData = async () => (await call<Manifest>("GET", secretPath)).body.data;
  const bundles = async (): Promise<string[]> =>
    (await call<Manifest>("GET", registrationPath)).body.webhooks.map(
      ({ clientConfig }: Manifest) => clientConfig.caBundle,
    );

  /** Empties the Secret, so that the replicas of the newest release create a new CA. Waits until no old replica is left. */
  async function startAnew(): Promise<void> {
    await until("the termination of the old replicas", 60, async () => (await podsOf()).length === 2);
    await call("PATCH", secretPath, { data: null }, "application/merge-patch+json");
  }

  beforeAll(() => void install({}, "--wait", "--timeout", "120s"));

  testsOfInstallation();

  test("an upgrade keeps what the webhook wrote", async () => {
    const [data, written] = [await secretData(), await bundles()];
    expect(Object.keys(data).length).toBeGreaterThan(0);
    expect(written.every(Boolean)).toBe(true);
    install({ webhook: { timeoutSeconds: 4 } }, "--wait", "--timeout", "120s");
    expect(await secretData()).toEqual(data);
    expect(await bundles()).toEqual(written);
    onRelease("rollback", ["--wait", "--timeout", "120s"]);
    expect(await secretData()).toEqual(data);
    expect(await bundles()).toEqual(written);
    await primed(true);
  });

  test("a caBundle that was removed is restored", async () => {
    const before = await bundles();
    const patch = before.map((_, index) => ({
      op: "remove",
      path: `/webhooks/${index}/clientConfig/caBundle`,
    }));
    await call("PATCH", registrationPath, patch, "application/json-patch+json");
    await until("the restored caBundle", 60, async () => (await bundles()).every(Boolean));
    await primed(true);
    expect(await bundles()).toEqual(before);
  });

  test("all pods that are created during renewals of the certificate and the CA are primed", async () => {
    const selfManaged = { caLifetime: "27s", certLifetime: "18s", checkInterval: "250ms" };
    install({ tls: { selfManaged } }, "--wait", "--timeout", "120s");
    // The first CA is valid for years.
    await startAnew();
    const [certificates, cas, statuses] = [new Set<string>(), new Set<string>(), [] as unknown[]];
    const end = Date.now() + 60_000;
    while (Date.now() < end) {
      const pod = await runner(
        "chart-runners",
        "true",
        ({ spec }) => (spec.nodeSelector = { "example.com/no": "node" }),
      );
      statuses.push(status(pod));
      await remove(pod, 0);
      const data = (await secretData()) ?? {};
      if (data["tls.crt"]) certificates.add(data["tls.crt"]);
      if (data["ca.crt"]) cas.add(data["ca.crt"]);
    }
    process.stderr.write(`  ${statuses.length} pods, ${cas.size} CAs, ${certificates.size} certificates\n`);
    expect(statuses.filter((one) => one === undefined)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(100);
    expect(cas.size).toBeGreaterThanOrEqual(3);
    expect(certificates.size).toBeGreaterThanOrEqual(4);
    onRelease("rollback", ["--wait", "--timeout", "120s"]);
    await startAnew(); // so that the CA is valid for years again
    await primed(true);
  }, 300_000);

  test("a change to an existing Secret without a caBundle removes the old caBundle", async () => {
    await writeSecret("serving", await issue());
    const tls = { provider: "existing-secret", existingSecret: { name: "serving" } };
    // The webhook owns the field, and Helm 4 uses server-side apply.
    install({ tls }, "--force-conflicts", "--wait", "--timeout", "120s");
    expect((await bundles()).filter(Boolean)).toEqual([]);
  });

  testsOfUninstallation();
});

describe("the cache", () => {
  const cache = `${release}-cache-docker-io`;
  const host = `${cache}.${namespace}.svc.cluster.local`;
  let hub: Awaited<ReturnType<typeof installRegistry>>;

  beforeAll(async () => {
    hub = await installRegistry();
    const certificate = await issue();
    await writeSecret("serving", certificate);
    const upstreams = { "docker.io": { url: `http://${hub.address}` } };
    install(
      {
        tls: { provider: "existing-secret", existingSecret: { name: "serving", caBundle: certificate.cert } },
        registryCache: { ...cacheOnNode, upstreams },
      },
      "--wait",
      "--timeout",
      "120s",
    );
    await primed(true);
  });

  /**
   * Pulls hello:1 in a runner pod. The pod gets the cache's address as a host alias, because the cluster has neither DNS nor
   * kube-proxy.
   */
  async function pull(): Promise<string> {
    const { podIP } = (await get<Manifest>("Pod", namespace, `${cache}-0`)).status;
    const script = "docker pull --quiet hello:1 || exit 9\ndocker run --rm hello:1 || exit 8";
    const pod = await runner("chart-runners", script, ({ spec }) =>
      Object.assign(spec, { hostAliases: [{ ip: podIP, hostnames: [host] }] }),
    );
    expect(containerNamed(pod, "dind").args).toContain(`--registry-mirror=http://${host}:5000`);
    return (await ended(pod, 200)).log;
  }

  test("serves an image from the upstream to docker pull", async () => {
    expect(await pull()).toContain("hello from the registry");
    expect(await logs(hub.namespace, hub.pod, "registry")).toContain("/v2/library/hello/");
  });

  // The upstream refuses connections. This does not test an upstream that drops packets: Docker 29 waits 30 s for a
  // mirror's response, and the cache waits as long for its upstream.
  test("serves it again while the upstream is down", async () => {
    kubectlPrints(["exec", "-n", hub.namespace, hub.pod, "-c", "registry", "--", "kill", "1"]);
    await until("the upstream's termination", 30, async () => {
      const { status: now } = await get<RunnerPod>("Pod", hub.namespace, hub.pod);
      return now?.containerStatuses?.find(({ name }) => name === "registry")?.state.terminated;
    });
    expect(await pull()).toContain("hello from the registry");
  });

  testsOfUninstallation();
});
