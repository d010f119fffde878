import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { goldenPod } from "../support/pods.ts";
import { testWebhook } from "../support/webhook.ts";
import { apply, call, create, createNamespace, remove, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { patch, runnerSet, runnerSetDefinition } from "./support/release-by-hand.ts";

// `arc-primer explain` on a real API server with the real webhook: a primed pod, pods that were not primed, the next pod of a
// scale set, the configuration in the chart's ConfigMap, and an account with few permissions.

const bundle = fileURLToPath(new URL("../../dist/arc-primer.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-explain-"));
const [runners, plain, system] = ["explain-runners", "explain-plain", "explain-system"];
const { spec, metadata } = goldenPod("dind-sidecar");
const registration = parse(
  readFileSync(new URL("manifests/registration.yaml", import.meta.url), "utf8"),
) as Resource & { webhooks: { clientConfig: { service: { path: string } } }[] };

const configText = (profile: string) =>
  `apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\nprofiles: { default: ${profile} }\n`;
const configMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "arc-primer", namespace: system, labels: { "app.kubernetes.io/name": "arc-primer" } },
  data: { "config.yaml": configText("{}") },
};
const configMapPath = `/api/v1/namespaces/${system}/configmaps/arc-primer`;
const runnerDefinition = {
  ...runnerSetDefinition,
  metadata: { name: "ephemeralrunners.actions.github.com" },
  spec: {
    ...(runnerSetDefinition["spec"] as object),
    names: {
      kind: "EphemeralRunner",
      listKind: "EphemeralRunnerList",
      plural: "ephemeralrunners",
      singular: "ephemeralrunner",
    },
  },
};
const definitions = [runnerSetDefinition, runnerDefinition];
const kindPath = (plural: string, space: string) => `/apis/actions.github.com/v1alpha1/namespaces/${space}/${plural}`;

let webhook: Awaited<ReturnType<typeof testWebhook>>;

async function createArc(plural: string, object: Resource): Promise<void> {
  const { status, body } = await call("POST", kindPath(plural, object.metadata.namespace ?? ""), object);
  if (status !== 201) throw new Error(`creating ${object.kind}: ${JSON.stringify(body)}`);
}

/** Creates an EphemeralRunner and its pod, as ARC does. */
async function createRunner(name: string, space: string): Promise<void> {
  const runner = {
    apiVersion: "actions.github.com/v1alpha1",
    kind: "EphemeralRunner",
    metadata: { name, namespace: space, labels: metadata.labels ?? {} },
    spec: { metadata: {}, spec },
  };
  await createArc("ephemeralrunners", runner);
  const labels = metadata.labels ?? {};
  await create({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: space, labels }, spec } as Resource);
}

async function explain(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bundle, "explain", ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout: stdout.replaceAll(/\s+/g, " "), stderr }),
    );
  });
}

beforeAll(async () => {
  webhook = await testWebhook({ config: () => parseConfig(configText("{}"), "config.yaml"), version: "1.2.3" });
  const caBundle = Buffer.from(webhook.issued.cert).toString("base64");
  const webhooks = registration.webhooks.map((one) => ({
    ...one,
    clientConfig: { url: `https://localhost:${webhook.port}${one.clientConfig.service.path}`, caBundle },
  }));
  await createNamespace(runners);
  await createNamespace(plain, {});
  await createNamespace(system, {});
  await create(configMap);
  for (const definition of definitions) await apply(definition);
  for (const plural of ["autoscalingrunnersets", "ephemeralrunners"]) {
    await until(`the API for ${plural}`, 30, async () => (await call("GET", kindPath(plural, runners))).status === 200);
  }
  await createRunner("before", runners); // the webhook configuration exists
  await new Promise((resolve) => setTimeout(resolve, 1100)); // times in objects are whole seconds
  await apply({ ...registration, webhooks });
  await until("the API server to call the webhook", 20, async () => {
    const probe = { apiVersion: "v1", kind: "Pod", metadata: { name: "probe", labels: metadata.labels }, spec };
    const { body } = await call("POST", `/api/v1/namespaces/${runners}/pods?dryRun=All`, probe);
    return body.metadata.annotations?.["arc-primer.dev/status"] !== undefined;
  });
  await createRunner("primed", runners);
  await createRunner("unseen", plain);
  await createArc("autoscalingrunnersets", runnerSet("linux-x64", runners, spec));
});
afterAll(async () => {
  await remove(registration);
  // Without a controller, namespaces are not removed, and other tests depend on the labelled ones.
  for (const [name, space] of [
    ["before", runners],
    ["primed", runners],
    ["unseen", plain],
  ] as const) {
    await remove({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: space } }, 0);
  }
  await remove(configMap);
  await patch(`/api/v1/namespaces/${runners}`, { metadata: { labels: { "arc-primer.dev/inject": null } } });
  for (const definition of definitions) await remove(definition);
  await webhook.end();
  rmSync(folder, { recursive: true });
});

describe("a pod of the cluster", () => {
  test("that was primed: what was done, and that a new pod would be the same", async () => {
    const { code, stdout, stderr } = await explain("primed", "-n", runners);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Configuration: the current ConfigMap ${system}/arc-primer of the cluster.`);
    expect(stdout).toContain("When the pod was created, arc-primer 1.2.3 primed it with the profile default,");
    expect(stdout).toContain("What was done: wait-for-docker The runner starts as soon as Docker is available");
    expect(stdout).toContain("container runner: arc-primer-wait timeout=120 interval=0.05");
    expect(stdout).toContain("A pod that is created now would be primed in the same way.");
  });

  test("what would differ after a change of the configuration", async () => {
    const mirrors = "{ docker.io: { mirrors: [{ url: 'http://cache:5000' }] } }";
    const changed = configText(`{ registries: ${mirrors}, docker: { wait: { timeout: 33s } } }`);
    await patch(configMapPath, { data: { "config.yaml": changed } });
    const { stdout } = await explain("pod/primed", "-n", runners);
    await patch(configMapPath, { data: configMap.data });
    expect(stdout).toContain("A pod that is created now would differ: registry-mirror would be applied.");
    expect(stdout).toContain("would get timeout=33 instead of timeout=120.");
  });

  test("in a namespace without the label, or older than the webhook configuration", async () => {
    expect((await explain("unseen", "-n", plain)).stdout).toContain(
      `The namespace ${plain} lacks the label arc-primer.dev/inject: enabled, so the API server does not call the webhook for its pods.`,
    );
    expect((await explain("before", "-n", runners)).stdout).toMatch(
      /it was created \(\S+\) before the webhook configuration \(/,
    );
  });

  test("that does not exist: exit code 1", async () => {
    const { code, stdout, stderr } = await explain("nothing", "-n", runners);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `cannot find nothing in the namespace ${runners} (pod: pods "nothing" not found; AutoscalingRunnerSet: `,
    );
  });
});

test("the next pod of a scale set", async () => {
  const { code, stdout } = await explain("linux-x64", "-n", runners);
  expect(code).toBe(0);
  expect(stdout).toContain(`AutoscalingRunnerSet ${runners}/linux-x64 The profile is default`);
  expect(stdout).toContain("What would be done: wait-for-docker");
});

describe("an account that can only read the pods of its namespace", () => {
  const name = "explain-reader";
  const group = "rbac.authorization.k8s.io";
  const place = { name, namespace: runners };
  let kubeconfig: string;

  beforeAll(async () => {
    await create({ apiVersion: "v1", kind: "ServiceAccount", metadata: place });
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
    await create({ apiVersion: `${group}/v1`, kind: "Role", metadata: place, rules });
    await create({
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata: place,
      roleRef: { apiGroup: group, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", ...place }],
    });
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
    const path = `/api/v1/namespaces/${runners}/serviceaccounts/${name}/token`;
    const { token } = (await call<{ status: { token: string } }>("POST", path, request)).body.status;
    kubeconfig = join(folder, "reader");
    writeFileSync(kubeconfig, asReader(token));
  });

  test("the error names what cannot be read, and what to do", async () => {
    const { code, stderr } = await explain("primed", "-n", runners, "--kubeconfig", kubeconfig);
    expect(code).toBe(1);
    expect(stderr).toContain("the webhook's ConfigMap cannot be read: configmaps is forbidden");
    expect(stderr).toContain("Use --config FILE");
  });

  test("with --config the pod is explained, and the output names what could not be read", async () => {
    const config = join(folder, "config.yaml");
    writeFileSync(config, configText("{}"));
    const own = ["--kubeconfig", kubeconfig, "--config", config];
    const { code, stdout } = await explain("primed", "-n", runners, ...own);
    expect(code).toBe(0);
    expect(stdout).toContain(`Configuration: ${config} (not read from the cluster).`);
    expect(stdout).toContain("The following could not be read and is assumed to be correct: the namespace (");
    expect(stdout).toContain("When the pod was created, arc-primer 1.2.3 primed it with the profile default,");
  });
});

/** The kubeconfig of the tests, with the reader as its user. */
function asReader(token: string): string {
  const config = new KubeConfig();
  config.loadFromDefault();
  const user = config.getCurrentUser()!.name;
  const reader = new KubeConfig();
  reader.loadFromClusterAndUser(config.getCurrentCluster()!, { name: user, token });
  return reader.exportConfig();
}
