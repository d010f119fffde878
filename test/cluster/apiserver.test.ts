import { execFile } from "node:child_process";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { defaultConfig, parseConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { podSecurityLevels } from "../../src/pod/pod-security.ts";
import { statusAnnotation } from "../../src/report/status.ts";
import { configWith, goldenPod, goldenPodSecurity, mirrors } from "../support/pods.ts";
import { certificate, testWebhook } from "../support/webhook.ts";
import { apply, call, create, createNamespace, remove, tryCreate } from "./support/kube.ts";
import type { Answer, Resource } from "./support/kube.ts";
import { kubectl } from "./support/stack.ts";

// Tests that need a real API server but no node: webhook configuration, validation, Pod Security, quotas, failure policies.
// The webhook is the real HTTPS server in this process, which kube-apiserver calls by URL.

type Webhook = Awaited<ReturnType<typeof testWebhook>>;
interface Part {
  name: string;
  resources?: object;
}
type PodResource = Resource & { spec: { containers: Part[]; initContainers?: Part[] } };

const bundle = fileURLToPath(new URL("../../dist/arc-primer.mjs", import.meta.url));
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const golden = new URL("../golden/", import.meta.url);
const webhookConfiguration = parse(
  readFileSync(new URL("manifests/registration.yaml", import.meta.url), "utf8"),
) as Resource & { webhooks: { name: string; failurePolicy: string; clientConfig: { service: { path: string } } }[] };

let webhook: Webhook;
let config: Config = defaultConfig;

/** Creates or changes the webhook configuration. */
async function register(changes: { failurePolicy?: string; port?: number } = {}): Promise<void> {
  const caBundle = Buffer.from(webhook.issued.cert).toString("base64");
  const server = `https://localhost:${changes.port ?? webhook.port}`;
  const webhooks = webhookConfiguration.webhooks.map((one) => ({
    ...one,
    failurePolicy: changes.failurePolicy ?? one.failurePolicy,
    clientConfig: { url: server + one.clientConfig.service.path, caBundle },
  }));
  await apply({ ...webhookConfiguration, webhooks });
  // A changed webhook configuration takes effect in kube-apiserver after about a second.
  await new Promise((resolve) => setTimeout(resolve, 2000));
}

function named(pod: unknown, name: string, space: string): PodResource {
  const { metadata, ...rest } = structuredClone(pod) as PodResource;
  return { ...rest, metadata: { ...metadata, name, namespace: space, ownerReferences: undefined } } as PodResource;
}

/** Runs a program with this standard input, and waits for its exit. */
async function run(program: string, args: string[], input: unknown): Promise<{ stdout: string; stderr: string }> {
  const running = promisify(execFile)(program, args);
  running.child.stdin?.end(JSON.stringify(input));
  return running;
}

const reviewsFor = (name: string) => webhook.lines.filter(({ msg, pod }) => msg === "decision" && pod === name);

beforeAll(async () => {
  webhook = await testWebhook({ config: () => config, version });
  await register();
});
afterEach(() => {
  config = defaultConfig;
});
afterAll(async () => {
  await remove(webhookConfiguration);
  await webhook.end();
});

describe("the webhook configuration", () => {
  beforeAll(async () => {
    await createNamespace("arc-labelled");
    await createNamespace("unlabelled", {});
  });

  test("a runner pod in a labelled namespace is primed", async () => {
    const pod = await create(named(goldenPod("dind-sidecar"), "primed", "arc-labelled"));
    expect(pod.metadata.annotations?.[statusAnnotation]).toContain('"applied":["wait-for-docker"]');
    expect(reviewsFor("primed")).toHaveLength(1);
  });

  test("pods in a namespace without the label cause no reviews", async () => {
    const pod = await create(named(goldenPod("dind-sidecar"), "unlabelled", "unlabelled"));
    expect(pod.metadata.annotations?.[statusAnnotation]).toBeUndefined();
    expect(reviewsFor("unlabelled")).toEqual([]);
  });

  test.each(["listener", "legacy-runner", "windows"])(
    "pods that are not runners of ARC cause no reviews: %s",
    async (name) => {
      await create(named(goldenPod(name), name, "arc-labelled"));
      expect(reviewsFor(name)).toEqual([]);
    },
  );

  test("a pod with only a generateName is primed", async () => {
    const { metadata, ...rest } = named(goldenPod("dind-sidecar"), "x", "arc-labelled");
    const pod = {
      ...rest,
      metadata: { ...metadata, name: undefined, generateName: "generated-" },
    } as unknown as PodResource;
    expect((await create(pod)).metadata.annotations?.[statusAnnotation]).toBeDefined();
    expect(reviewsFor("generated-*")).toHaveLength(1);
  });
});

describe("every golden pod, created in a real API server", () => {
  const created = (resource: PodResource) => {
    const { spec, metadata } = resource;
    return { spec, annotations: metadata.annotations ?? {}, labels: metadata.labels };
  };
  const cases = readdirSync(golden);

  beforeAll(async () => {
    // The API server rejects a pod with an unknown runtime class.
    const classes = cases.flatMap((name) => goldenPod(name).spec.runtimeClassName ?? []);
    for (const name of new Set(classes)) {
      await apply({ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name }, handler: name });
    }
    for (const level of podSecurityLevels) {
      const enforce = { "pod-security.kubernetes.io/enforce": level };
      await createNamespace(`arc-webhook-${level}`, { "arc-primer.dev/inject": "enabled", ...enforce });
      await createNamespace(`arc-render-${level}`, enforce);
    }
  });

  test.each(cases)("%s is accepted, with the same result as from render", async (name) => {
    const file = join(fileURLToPath(golden), name, "config.yaml");
    config = parseConfig(readFileSync(file, "utf8"), name);
    const level = goldenPodSecurity(name);
    const stock = named(goldenPod(name), name, `arc-webhook-${level}`);
    const options = ["--config", file, "--pod-security", level, "-o", "json"];
    const { stdout } = await run(process.execPath, [bundle, "render", "-", ...options], stock);
    const byWebhook = await create(stock);
    const byRender = await create(named(JSON.parse(stdout), name, `arc-render-${level}`));
    // Pods that the webhook configuration does not select must stay unchanged.
    expect(created(byWebhook)).toEqual(created(byRender));
  });
});

describe("admission checks after the webhook", () => {
  const unprivileged = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };

  /** A runner that meets `restricted` and waits for a Docker at another host, so that it is primed. */
  function restrictedRunner(name: string, space: string): PodResource {
    const pod = named(goldenPod("default-mode"), name, space);
    for (const container of pod.spec.containers) {
      Object.assign(container, {
        securityContext: unprivileged,
        env: [{ name: "DOCKER_HOST", value: "tcp://docker.example.com:2376" }],
      });
    }
    return pod;
  }

  const outcome = ({ status, warnings, body }: Answer) => ({
    status,
    warnings,
    violates: String(body["message"]).includes("violates PodSecurity"),
  });

  test.each(["restricted", "baseline", "privileged"])(
    "Pod Security %s accepts a primed pod exactly if it accepts the unprimed pod",
    async (level) => {
      const enforce = { "pod-security.kubernetes.io/enforce": level };
      const space = await createNamespace(`pss-${level}`, { "arc-primer.dev/inject": "enabled", ...enforce });
      const unlabelled = await createNamespace(`pss-${level}-unprimed`, enforce);
      const both = async (name: string, make: (name: string, of: string) => PodResource) => {
        const [primed, unprimed] = [await tryCreate(make(name, space)), await tryCreate(make(name, unlabelled))];
        expect(outcome(primed)).toEqual(outcome(unprimed));
        return { primed, unprimed };
      };

      const plain = await both("plain", restrictedRunner);
      expect(outcome(plain.primed)).toEqual({ status: 201, warnings: [], violates: false });
      expect(plain.unprimed.body.metadata.annotations?.[statusAnnotation]).toBeUndefined();
      expect(plain.primed.body.metadata.annotations?.[statusAnnotation]).toContain('"applied":["wait-for-docker"]');

      // ARC's DinD pods are privileged, so only the namespace's level decides whether they are accepted.
      const dind = await both("dind", (name, of) => named(goldenPod("dind-sidecar"), name, of));
      expect(outcome(dind.primed)).toMatchObject(
        level === "privileged" ? { status: 201, violates: false } : { status: 403, violates: true },
      );
    },
  );

  test("packages need a root container, which is added only if Pod Security allows it", async () => {
    config = configWith({ prerequisites: { packages: ["curl"] } });
    const restricted = await create(restrictedRunner("packages", "pss-restricted"));
    expect(restricted.metadata.annotations?.[statusAnnotation]).toContain('"prerequisites":"pod-security"');
    const baseline = await create(named(goldenPod("default-mode"), "packages", "pss-baseline"));
    expect(baseline.metadata.annotations?.[statusAnnotation]).toContain('"applied":["prerequisites"]');
  });

  test("a quota that requires limits for every container", async () => {
    const space = await createNamespace("quota");
    const hard = { "limits.cpu": "100", "limits.memory": "100Gi", pods: "100" };
    const quota = await create({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "limits", namespace: space },
      spec: { hard },
    });
    // This tier has no controller that would fill in the status.
    await call("PUT", `/api/v1/namespaces/${space}/resourcequotas/limits/status`, {
      ...quota,
      status: { hard, used: { "limits.cpu": "0", "limits.memory": "0", pods: "0" } },
    });
    const without = await tryCreate(named(goldenPod("dind-sidecar"), "without", space));
    expect(without).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("must specify limits.cpu") },
    });

    const pod = goldenPod("dind-sidecar");
    for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
      container.resources = { limits: { cpu: "1", memory: "1Gi" } };
    }
    config = configWith({
      ...mirrors,
      docker: { daemon: { mtu: 1400, resources: { limits: { memory: "2Gi" } } } },
      prerequisites: { packages: ["curl"] },
    });
    const primed = await create(named(pod, "with", space));
    expect(primed.metadata.annotations?.[statusAnnotation]).toContain("resources-kept");
    expect(primed.metadata.annotations?.[statusAnnotation]).toContain(
      '"applied":["wait-for-docker","registry-mirror","dockerd-settings","buildkit-mirrors","dagger-mirrors","prerequisites"]',
    );
  });

  test("injected DinD gets the runner's resources if a quota requires limits and a LimitRange sets a maximum", async () => {
    const space = await createNamespace("injected");
    const limits = [
      { type: "Container", default: { cpu: "1", memory: "1Gi" }, max: { memory: "2Gi", cpu: "2" }, min: { cpu: "1m" } },
    ];
    await create({
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "limits", namespace: space },
      spec: { limits },
    });
    const hard = { "limits.cpu": "100", "limits.memory": "100Gi" };
    const metadata = { name: "limits", namespace: space };
    const quota = await create({ apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard } });
    await call("PUT", `/api/v1/namespaces/${space}/resourcequotas/limits/status`, {
      ...quota,
      status: { hard, used: { "limits.cpu": "0", "limits.memory": "0" } },
    });
    for (const injected of [{}, { layout: "container" }, { rootless: true }]) {
      config = configWith({ docker: { inject: true, injected, gracefulEnd: { gracePeriod: "5m" } } });
      const name = `injected-${Object.keys(injected).join("") || "sidecar"}`;
      const { spec } = await create(named(goldenPod("default-mode"), name, space));
      for (const { resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect(resources).toMatchObject({ limits: { cpu: "1", memory: "1Gi" } });
      }
      expect(spec).toMatchObject({ terminationGracePeriodSeconds: 300 });
    }
  });

  test("the defaults and the maximum of a LimitRange also apply to the primed pod", async () => {
    const space = await createNamespace("limit-range");
    const limits = [
      {
        type: "Container",
        default: { cpu: "1", memory: "1Gi" },
        defaultRequest: { cpu: "100m", memory: "128Mi" },
        max: { memory: "2Gi" },
      },
    ];
    await create({
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "defaults", namespace: space },
      spec: { limits },
    });
    config = configWith({
      docker: { daemon: { resources: { limits: { memory: "8Gi" } } } },
      prerequisites: { packages: ["curl"] },
    });
    const primed = await create(named(goldenPod("dind-container"), "primed", space));
    const all = [...primed.spec.containers, ...primed.spec.initContainers!];
    expect(all.map(({ name }) => name)).toContain("arc-primer-prerequisites");
    expect(all.map(({ resources }) => resources)).toEqual(
      all.map(() => ({
        limits: { cpu: "1", memory: "1Gi" },
        requests: { cpu: "100m", memory: "128Mi" },
      })),
    );
  });
});

describe("when the webhook cannot be reached", () => {
  const unusedPort = 9; // nothing listens on the discard port
  beforeAll(async () => {
    await createNamespace("down");
  });
  afterAll(async () => register());

  test("failurePolicy Ignore: the pod is created unchanged", async () => {
    await register({ port: unusedPort });
    const pod = await create(named(goldenPod("dind-sidecar"), "ignore", "down"));
    expect(pod.metadata.annotations?.[statusAnnotation]).toBeUndefined();
    expect(pod.spec.containers[0]).toMatchObject({ command: ["/home/runner/run.sh"] });
  });

  test("failurePolicy Fail: the error is a 500, which ARC retries, and not a 403 or 422, which it does not retry", async () => {
    await register({ port: unusedPort, failurePolicy: "Fail" });
    const answer = await tryCreate(named(goldenPod("dind-sidecar"), "fail", "down"));
    expect(answer).toMatchObject({ status: 500, body: { message: expect.stringContaining("runners.arc-primer.dev") } });
    await register({ failurePolicy: "Fail" });
    await create(named(goldenPod("dind-sidecar"), "fail", "down"));
  });
});

test("after another webhook has added a sidecar, ours is reinvoked and changes nothing", async () => {
  const issued = await certificate();
  const other = createServer({ cert: issued.cert, key: issued.key }, async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { request: review } = JSON.parse(text) as { request: { uid: string; object: PodResource } };
    const present = review.object.spec.containers.some(({ name }) => name === "mesh");
    const patch = [{ op: "add", path: "/spec/containers/0", value: { name: "mesh", image: "mesh:1" } }];
    const encoded = Buffer.from(JSON.stringify(present ? [] : patch)).toString("base64");
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response: { uid: review.uid, allowed: true, patchType: "JSONPatch", patch: encoded },
      }),
    );
  });
  await new Promise<void>((resolve) => other.listen(0, "localhost", resolve));
  const url = `https://localhost:${(other.address() as AddressInfo).port}/`;
  const mesh = {
    ...webhookConfiguration,
    metadata: { name: "zz-mesh" }, // called after ours, because webhooks are called in the order of their names
    webhooks: webhookConfiguration.webhooks.slice(0, 1).map((one) => ({
      ...one,
      name: "mesh.example.com",
      clientConfig: { url, caBundle: Buffer.from(issued.cert).toString("base64") },
    })),
  };
  await create(mesh);
  await createNamespace("mesh");
  await new Promise((resolve) => setTimeout(resolve, 2000));

  const pod = await create(named(goldenPod("dind-sidecar"), "meshed", "mesh"));
  expect(pod.spec.containers.map(({ name }) => name)).toEqual(["mesh", "runner"]);
  const reviews = reviewsFor("meshed");
  expect(reviews.map(({ patchOperations }) => Number(patchOperations) > 0)).toEqual([true, false]);
  expect(reviews[1]).toMatchObject({ skipped: { "wait-for-docker": "already-there" } });
  expect(JSON.parse(pod.metadata.annotations?.[statusAnnotation] ?? "")).toMatchObject({
    applied: ["wait-for-docker"],
  });
  await remove(mesh);
  other.close();
  other.closeAllConnections();
});

test("kubectl shows a problem as a warning, and shows nothing if there is none", async () => {
  await createNamespace("warned");
  const kubectlCreate = async (pod: PodResource) => (await run(kubectl(), ["create", "-f", "-"], pod)).stderr;
  const wrongProfile = goldenPod("dind-sidecar");
  wrongProfile.metadata.annotations = { "arc-primer.dev/profile": "nope" };
  expect(await kubectlCreate(named(wrongProfile, "wrong-profile", "warned"))).toBe(
    "Warning: arc-primer: The pod requests a profile that is not defined. The rule's profile is used instead. (unknown-profile)\n",
  );
  expect(await kubectlCreate(named(goldenPod("dind-sidecar"), "correct", "warned"))).toBe("");
});
