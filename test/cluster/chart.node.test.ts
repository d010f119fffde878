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
/** A runner pod of the test's own name. */
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
  // What the other file of this tier has registered would prime pods as well.
  await call("DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer");
  await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
  await createNamespace("chart-runners");
  await createNamespace("chart-unlabelled", {});
});

// And waits for their end: the next file makes some by the same names.
afterAll(async () => removeNamespaces(), 600_000);

/** What every installation has to do, whatever its certificates come from. */
function itWorks(): void {
  test("two replicas are ready, as Pod Security `restricted` allows them", async () => {
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

  test("one in a namespace without the label is as ARC made it", async () => {
    const pod = await runner("chart-unlabelled");
    expect(status(pod)).toBeUndefined();
    expect(containerNamed(pod, "runner").command).toEqual(["/home/runner/run.sh"]);
    await remove(pod, 0);
  });

  test("helm test passes, and leaves nothing of itself", () => {
    const before = objectsOfRelease();
    expect(onRelease("test", ["--timeout", "120s"]).stdout).toMatch(/Phase:\s+Succeeded/);
    expect(objectsOfRelease().filter((name) => !before.includes(name) && !name.startsWith("namespace/"))).toEqual([]);
  });
}

function itGoes(): void {
  test("uninstalling leaves nothing but the namespace's label", { timeout: 180_000 }, async () => {
    onRelease("uninstall", ["--wait"]);
    await until("the end of all objects", 90, async () => objectsOfRelease().length === 0);
    expect(await get("Namespace", "", "chart-runners")).toMatchObject({
      metadata: { labels: { "arc-primer.dev/inject": "enabled" } },
    });
    const pod = await runner("chart-runners");
    expect(status(pod)).toBeUndefined();
    await remove(pod, 0);
  });
}

describe("with a Secret that is there", () => {
  let values: Values;
  beforeAll(async () => {
    const certificate = await issue();
    await writeSecret("serving", certificate);
    values = { tls: { provider: "existing-secret", existingSecret: { name: "serving", caBundle: certificate.cert } } };
    install(values, "--wait", "--timeout", "120s");
  });

  itWorks();

  test("the notes say how to label a namespace, and how to see that it works", () => {
    const notes = onRelease("get notes").stdout;
    expect(notes).toContain("kubectl label namespace NAMESPACE arc-primer.dev/inject=enabled");
    expect(notes).toContain(`helm test ${release} -n ${namespace}`);
  });

  test("helm test fails where the webhook primes nothing, and says so", { timeout: 240_000 }, async () => {
    const without = { ...values, config: { profiles: { default: { enabled: false } } } };
    install(without);
    await configurationRead();
    expect(() => onRelease("test", ["--timeout", "150s"])).toThrow(/failed/i);
    expect(await logs(namespace, `${release}-test`, "test")).toContain("created unprimed");
    install(values);
    await configurationRead();
    onRelease("test", ["--timeout", "120s"]); // takes the pod of the failed one away
  });

  test("another configuration is in force without a restart; a rollback brings the first one back", async () => {
    const before = await podsOf();
    install({ ...values, config: { mode: "audit" } });
    await configurationRead();
    await primed(false);
    onRelease("rollback");
    await configurationRead();
    await primed(true);
    expect(names(await podsOf())).toEqual(names(before));
  });

  test("an upgrade to other values rolls the pods one by one; a rollback as well", { timeout: 240_000 }, async () => {
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
  });

  itGoes();
});

/** Waits until all pods have read what is in the ConfigMap now. A changed pod makes the kubelet look at its volumes. */
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

  itWorks();

  test("the certificate comes from the chart's CA, for the Service's name, and all three entries trust that", async () => {
    ready(namespace);
    const authority = (await secretOf(`${release}-ca`))?.["tls.crt"] ?? "";
    const served = new X509Certificate(Buffer.from((await secretOf(`${release}-tls`))?.["tls.crt"] ?? "", "base64"));
    expect(served.checkIssued(new X509Certificate(Buffer.from(authority, "base64")))).toBe(true);
    expect(served.checkHost(serviceName)).toBe(serviceName);
    const { webhooks } = (await call<Manifest>("GET", registrationPath)).body;
    expect(webhooks.map(({ clientConfig }: Manifest) => clientConfig.caBundle)).toEqual([
      authority,
      authority,
      authority,
    ]);
  });

  test("the certificate is renewed again and again while pods are created: all are primed", async () => {
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
    const renewals = async () => {
      for (let round = 1; round <= 3; round += 1) {
        const before = await reloads();
        await renew(namespace, `${release}-tls`);
        // A changed pod makes the kubelet look at its volumes now, rather than within a minute or so.
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
    const statuses: unknown[] = [];
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
    process.stderr.write(`  ${statuses.length} pods were created in three renewals\n`);
    expect(statuses.length).toBeGreaterThan(30);
    expect(statuses.filter((one) => one === undefined)).toEqual([]);
  }, 300_000);

  itGoes();

  test("the plain manifests become ready as well, and prime", { timeout: 240_000 }, async () => {
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

describe("with certificates that the webhook makes itself", () => {
  const secretPath = `/api/v1/namespaces/${namespace}/secrets/${release}-self-managed`;
  const secretData = async () => (await call<Manifest>("GET", secretPath)).body.data;
  const bundles = async (): Promise<string[]> =>
    (await call<Manifest>("GET", registrationPath)).body.webhooks.map(
      ({ clientConfig }: Manifest) => clientConfig.caBundle,
    );

  /** Empties the Secret, so that the replicas make a CA: those of the newest values, and none that is about to end. */
  async function startAnew(): Promise<void> {
    await until("the end of the old replicas", 60, async () => (await podsOf()).length === 2);
    await call("PATCH", secretPath, { data: null }, "application/merge-patch+json");
  }

  beforeAll(() => void install({}, "--wait", "--timeout", "120s"));

  itWorks();

  test("an upgrade leaves what the webhook wrote", async () => {
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

  test("a caBundle that somebody emptied is repaired", async () => {
    const before = await bundles();
    const patch = before.map((_, index) => ({
      op: "remove",
      path: `/webhooks/${index}/clientConfig/caBundle`,
    }));
    await call("PATCH", registrationPath, patch, "application/json-patch+json");
    await until("the bundle's return", 60, async () => (await bundles()).every(Boolean));
    await primed(true);
    expect(await bundles()).toEqual(before);
  });

  test("certificate and CA are renewed again and again while pods are created: all are primed", async () => {
    const selfManaged = { caLifetime: "27s", certLifetime: "18s", checkInterval: "250ms" };
    install({ tls: { selfManaged } }, "--wait", "--timeout", "120s");
    // The first CA was made for years.
    await startAnew();
    const [certificates, authorities, statuses] = [new Set<string>(), new Set<string>(), [] as unknown[]];
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
      if (data["ca.crt"]) authorities.add(data["ca.crt"]);
    }
    process.stderr.write(
      `  ${statuses.length} pods, ${authorities.size} authorities, ${certificates.size} certificates\n`,
    );
    expect(statuses.filter((one) => one === undefined)).toEqual([]);
    expect(statuses.length).toBeGreaterThan(100);
    expect(authorities.size).toBeGreaterThanOrEqual(3);
    expect(certificates.size).toBeGreaterThanOrEqual(4);
    onRelease("rollback", ["--wait", "--timeout", "120s"]);
    await startAnew(); // and for years again
    await primed(true);
  }, 300_000);

  test("a change to a Secret of yours, without a caBundle, leaves none of the old one", async () => {
    await writeSecret("serving", await issue());
    const tls = { provider: "existing-secret", existingSecret: { name: "serving" } };
    // The webhook is the field's owner, and Helm 4 applies on the server's side.
    install({ tls }, "--force-conflicts", "--wait", "--timeout", "120s");
    expect((await bundles()).filter(Boolean)).toEqual([]);
  });

  itGoes();
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

  /** Pulls hello:1 in a runner pod. The bare cluster has neither DNS nor kube-proxy: the pod gets the cache's address. */
  async function pull(): Promise<string> {
    const { podIP } = (await get<Manifest>("Pod", namespace, `${cache}-0`)).status;
    const script = "docker pull --quiet hello:1 || exit 9\ndocker run --rm hello:1 || exit 8";
    const pod = await runner("chart-runners", script, ({ spec }) =>
      Object.assign(spec, { hostAliases: [{ ip: podIP, hostnames: [host] }] }),
    );
    expect(containerNamed(pod, "dind").args).toContain(`--registry-mirror=http://${host}:5000`);
    return (await ended(pod, 200)).log;
  }

  test("serves a docker pull of what the upstream has", async () => {
    expect(await pull()).toContain("hello from the registry");
    expect(await logs(hub.namespace, hub.pod, "registry")).toContain("/v2/library/hello/");
  });

  // Nobody listens at the upstream any more. One whose address swallows packets is another matter: Docker 29 waits 30 s for
  // a mirror's answer, and the cache as long for its upstream.
  test("and once more when the upstream is down", async () => {
    kubectlPrints(["exec", "-n", hub.namespace, hub.pod, "-c", "registry", "--", "kill", "1"]);
    await until("the upstream's end", 30, async () => {
      const { status: now } = await get<RunnerPod>("Pod", hub.namespace, hub.pod);
      return now?.containerStatuses?.find(({ name }) => name === "registry")?.state.terminated;
    });
    expect(await pull()).toContain("hello from the registry");
  });

  itGoes();
});
