import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checks } from "../../src/cluster/checks/index.ts";
import { chartVersion } from "../support/helm.ts";
import { goldenPod } from "../support/pods.ts";
import { haveTools } from "../support/tools.ts";
import { certificate } from "../support/webhook.ts";
import { kubeconfig } from "./support/account.ts";
import { removeLeftovers, doctor, waitForOk, waitForProblem } from "./support/doctor.ts";
import { apply, call, create, createNamespace, remove, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import {
  deploymentPath,
  installByHand,
  nodeInfo,
  nodePath,
  patch,
  registrationPath,
  runnerSet,
  runnerSetDefinition,
  servingPair,
  writeStatus,
} from "./support/release-by-hand.ts";
import type { ByHand } from "./support/release-by-hand.ts";
import { kubectlPrints, namespace, release } from "./support/release.ts";

// Causes each problem that doctor can report on a real API server. Doctor must report it as ✗ or !, and as ✓ after its advice
// was followed. Problems that need a node or another version of Kubernetes are in doctor.node.test.ts and in the unit tests.

const [runners, plain] = ["doctor-runners", "doctor-plain"];
const dind = runnerSet("linux", runners, goldenPod("dind-sidecar").spec);
const withoutDocker = runnerSet("no-docker", plain, goldenPod("default-mode").spec);
const inject = { "arc-primer.dev/inject": "enabled" };

let byHand: ByHand;
type Entry = { name: string; [field: string]: unknown };
const entriesNow = async () => (await call<Resource & { webhooks: Entry[] }>("GET", registrationPath)).body.webhooks;

/** Changes every entry of the webhook configuration, or only the entry with this name. */
async function changeEntries(change: (entry: Entry) => object, name?: string): Promise<void> {
  const webhooks = (await entriesNow()).map((entry) =>
    name && entry.name !== name ? entry : { ...entry, ...change(entry) },
  );
  await patch(registrationPath, { webhooks });
}

const label = async (space: string, labels: Record<string, string | null>) =>
  patch(`/api/v1/namespaces/${space}`, { metadata: { labels } });

const base64 = (text: string) => Buffer.from(text).toString("base64");
const trust = async (pem: string) =>
  changeEntries(({ clientConfig }) => ({ clientConfig: { ...(clientConfig as object), caBundle: base64(pem) } }));

/** How to cause a problem, and how to follow the advice. */
interface Case {
  readonly cause: () => Promise<unknown>;
  /** Default: apply the chart again, as `helm upgrade` does. */
  readonly fix?: () => Promise<unknown>;
  /** Restores what `cause` and `fix` have changed elsewhere. */
  readonly restore?: () => Promise<unknown>;
}

const profile = (settings: object, more: object = {}) => ({ config: { profiles: { default: settings, ...more } } });
const named = (kind: string, apiVersion: string, name: string, space?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(space !== undefined && { namespace: space }) },
});
const replica = (index: number) => byHand.replicas[index]!;
const other = named("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "arc-primer-left-over");
const gate = named("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "doctor-gate");
const stripper = named("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "doctor-stripper");
const openshift = {
  ...runnerSetDefinition,
  metadata: { name: "securitycontextconstraints.security.openshift.io" },
  spec: {
    ...(runnerSetDefinition["spec"] as object),
    group: "security.openshift.io",
    names: { kind: "SecurityContextConstraints", plural: "securitycontextconstraints", singular: "x", listKind: "L" },
  },
};
const pod = (name: string, annotations: Record<string, string>) => {
  const { spec, metadata } = goldenPod("dind-sidecar");
  const { volumes = [] } = spec;
  return {
    ...named("Pod", "v1", name, runners),
    metadata: { name, namespace: runners, labels: { ...metadata.labels }, annotations },
    spec: { ...spec, volumes },
  } as unknown as Resource;
};
const withTemplate = async (change: object) => patch(pathOf("linux", runners), { spec: { template: change } });
const pathOf = (name: string, space: string) =>
  `/apis/actions.github.com/v1alpha1/namespaces/${space}/autoscalingrunnersets/${name}`;

const cases: Record<string, Case> = {
  "nodes/no-native-sidecars": {
    cause: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({ kubeletVersion: "v1.28.9" }) }),
    fix: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({}) }),
  },
  "image-volumes/unsafe-nodes": {
    async cause() {
      await writeStatus(nodePath, { nodeInfo: nodeInfo({ containerRuntimeVersion: "containerd://1.7.27" }) });
      await byHand.upgrade(profile({ docker: { externals: "volume" } }));
    },
    fix: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({}) }),
  },
  "image-volumes/untried": {
    async cause() {
      await writeStatus(nodePath, { nodeInfo: nodeInfo({ containerRuntimeVersion: "cri-o://1.35.0" }) });
      await byHand.upgrade(profile({ docker: { externals: "volume" } }));
    },
    async fix() {
      await byHand.upgrade();
      await writeStatus(nodePath, { nodeInfo: nodeInfo({}) });
    },
  },
  "registration/missing": { cause: async () => call("DELETE", registrationPath) },
  "registration/several": {
    cause: async () => create({ ...other, webhooks: await entriesNow() } as Resource),
    fix: async () => remove(other),
  },
  "entries/missing": {
    cause: async () => patch(registrationPath, { webhooks: (await entriesNow()).slice(0, 2) }),
  },
  "entries/no-pods": {
    cause: async () => changeEntries(() => ({ objectSelector: { matchLabels: { runner: "yes" } } })),
  },
  "entries/too-many": { cause: async () => changeEntries(() => ({ objectSelector: {} })) },
  "ca-bundle/unreadable": { cause: async () => trust("nonsense") },
  "ca-bundle/empty": { cause: async () => trust("") },
  "ca-bundle/expired": { cause: async () => trust((await servingPair({ from: -48, to: -24 })).cert) },
  "ca-bundle/expires-soon": { cause: async () => trust((await servingPair({ to: 48 })).cert) },
  "ca-bundle/different": {
    async cause() {
      const { cert } = await servingPair();
      await changeEntries(
        ({ clientConfig }) => ({ clientConfig: { ...(clientConfig as object), caBundle: base64(cert) } }),
        "runners-baseline.arc-primer.dev",
      );
    },
  },
  "failure-policy/fail": {
    async cause() {
      await byHand.upgrade({ webhook: { failurePolicy: "Fail" } });
      await writeStatus(deploymentPath, { readyReplicas: 1 });
    },
    fix: async () => writeStatus(deploymentPath, { readyReplicas: 2 }),
  },
  "failure-policy/time-out": { cause: async () => byHand.upgrade({ webhook: { timeoutSeconds: 30 } }) },
  "failure-policy/mixed": {
    cause: async () => changeEntries(() => ({ failurePolicy: "Fail" }), "runners.arc-primer.dev"),
  },
  "other-webhooks/down": {
    async cause() {
      const service = { namespace: plain, name: "gate" };
      const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }];
      const namespaceSelector = { matchLabels: inject };
      const entry = { name: "gate.example.com", admissionReviewVersions: ["v1"], sideEffects: "None", rules };
      await create({ ...gate, webhooks: [{ ...entry, namespaceSelector, clientConfig: { service } }] } as Resource);
    },
    fix: async () =>
      patch("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/doctor-gate", { webhooks: [] }),
  },
  "endpoints/no-service": {
    cause: async () => call("DELETE", `/api/v1/namespaces/${namespace}/services/${release}`),
  },
  "endpoints/no-port": {
    async cause() {
      const service = { name: release, namespace, path: "/mutate", port: 8443 };
      await changeEntries(
        ({ clientConfig }) => ({ clientConfig: { ...(clientConfig as object), service } }),
        "runners.arc-primer.dev",
      );
    },
  },
  "endpoints/none-ready": {
    cause: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(false))),
    fix: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(true))),
  },
  "replicas/not-ready": { cause: async () => writeStatus(deploymentPath, { readyReplicas: 1 }) },
  "replicas/blocked": {
    cause: async () =>
      writeStatus(deploymentPath, {
        readyReplicas: 0,
        conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }],
      }),
  },
  "replicas/single": { cause: async () => byHand.upgrade({ replicas: 1 }) },
  "versions/different": {
    cause: async () => replica(1).writePodStatus("sha256:two"),
    fix: async () => replica(1).writePodStatus("sha256:one"),
  },
  "versions/not-rolled-out": {
    cause: async () => byHand.upgrade({ image: { repository: "arc-primer", tag: "next" } }),
  },
  "versions/other-client": {
    cause: async () =>
      Promise.all(
        byHand.replicas.map((one) =>
          patch(one.podPath, { metadata: { labels: { "app.kubernetes.io/version": "9.9.9" } } }),
        ),
      ),
    fix: async () =>
      Promise.all(
        byHand.replicas.map((one) =>
          patch(one.podPath, { metadata: { labels: { "app.kubernetes.io/version": chartVersion } } }),
        ),
      ),
  },
  "certificate/untrusted": {
    cause: async () => trust((await servingPair()).cert),
    fix: async () => trust(byHand.pair.cert),
  },
  "certificate/expired": {
    async cause() {
      const pair = await servingPair({ to: 3 / 3600 }); // the webhook does not load an expired certificate, but keeps serving one that expires
      for (const one of byHand.replicas) one.serve(pair);
    },
    fix: async () => byHand.replicas.forEach((one) => one.serve(byHand.pair)),
  },
  "certificate/expires-soon": {
    async cause() {
      const pair = await servingPair({ from: -24 * 80, to: 24 });
      await trust(`${byHand.pair.cert}${pair.cert}`);
      for (const one of byHand.replicas) one.serve(pair);
    },
    async fix() {
      for (const one of byHand.replicas) one.serve(byHand.pair);
      await byHand.upgrade();
    },
  },
  "configuration/refused": {
    cause: async () => patch(configPath, { data: { "config.yaml": "kind: PrimerConfiguration\nprofils: {}\n" } }),
  },
  "configuration/missing": { cause: async () => call("DELETE", configPath) },
  "configuration/warnings": {
    cause: async () =>
      byHand.upgrade({
        config: { profiles: { big: { docker: { inject: true } } }, rules: [{ profile: "big", scaleSets: ["big"] }] },
      }),
  },
  "configuration/audit": { cause: async () => byHand.upgrade({ config: { mode: "audit" } }) },
  "same-answers/different": {
    cause: async () => replica(1).configure(configWith({ docker: { wait: { timeout: "77s" } } })),
    fix: async () => byHand.upgrade(),
  },
  "same-answers/not-in-force": {
    cause: async () =>
      patch(configPath, { data: { "config.yaml": configWith({ docker: { wait: { timeout: "77s" } } }) } }),
    fix: async () =>
      byHand.replicas.forEach((one) => one.configure(configWith({ docker: { wait: { timeout: "77s" } } }))),
  },
  "namespaces/none": {
    cause: async () => Promise.all([runners, plain].map((space) => label(space, { "arc-primer.dev/inject": null }))),
    fix: async () => Promise.all([runners, plain].map((space) => label(space, inject))),
  },
  "namespaces/odd-label": {
    cause: async () => label(runners, { "arc-primer.dev/inject": "true" }),
    fix: async () => label(runners, inject),
  },
  "namespaces/excluded": {
    cause: async () => label(namespace, inject),
    fix: async () => label(namespace, { "arc-primer.dev/inject": null }),
  },
  "scale-sets/no-arc": {
    cause: async () => remove(runnerSetDefinition),
    async fix() {
      await createScaleSets();
    },
  },
  "scale-sets/none": {
    cause: async () =>
      Promise.all([call("DELETE", pathOf("linux", runners)), call("DELETE", pathOf("no-docker", plain))]),
    fix: async () => Promise.all([create(dind), create(withoutDocker)]),
  },
  "scale-sets/unlabelled": {
    cause: async () => create(runnerSet("elsewhere", "default", goldenPod("dind-sidecar").spec)),
    fix: async () => label("default", { "arc-primer.dev/inject": "disabled" }),
  },
  "scale-sets/unmatched": {
    cause: async () => changeEntries(() => ({ namespaceSelector: { matchLabels: { team: "ci" } } })),
  },
  "pod-security/rules-out": {
    async cause() {
      await byHand.upgrade(profile({ docker: { inject: true } }));
      await label(plain, { "pod-security.kubernetes.io/enforce": "baseline" });
    },
    fix: async () => label(plain, { "pod-security.kubernetes.io/enforce": "privileged" }),
  },
  "profiles/not-given": {
    cause: async () => withTemplate({ metadata: { annotations: { "arc-primer.dev/profile": "fast" } } }),
    fix: async () =>
      byHand.upgrade({
        config: { profiles: { fast: {} }, rules: [{ profile: "default", allowedProfiles: ["fast"] }] },
      }),
    restore: async () => withTemplate({ metadata: { annotations: { "arc-primer.dev/profile": null } } }),
  },
  "dry-runs/refused": {
    cause: async () => label(runners, { "pod-security.kubernetes.io/enforce": "restricted" }),
    fix: async () => label(runners, { "pod-security.kubernetes.io/enforce": "privileged" }),
  },
  "dry-runs/not-primed": {
    async cause() {
      await Promise.all(byHand.replicas.map((one) => one.writeEndpoints(false)));
      await Promise.all(byHand.replicas.map((one) => one.restart()));
    },
    fix: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(true))),
  },
  "dry-runs/sidecar-lost": {
    cause: async () => create({ ...stripper, webhooks: [await startStripper()] } as Resource),
    fix: async () => remove(stripper),
  },
  "dry-runs/nothing-applied": {
    cause: async () => byHand.upgrade(),
    fix: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "dry-runs/left-out": {
    cause: async () => byHand.upgrade(profile({ docker: { inject: true }, runner: { container: "main" } })),
    fix: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "dry-runs/no-template": {
    cause: async () => create(runnerSet("empty", runners, undefined)),
    fix: async () => call("DELETE", pathOf("empty", runners)),
  },
  "references/missing": {
    cause: async () => byHand.upgrade(profile({ docker: { inject: true, credentials: { secret: "login" } } })),
    fix: async () => Promise.all([runners, plain].map((space) => createLogin(space, ".dockerconfigjson"))),
  },
  "references/no-key": {
    cause: async () =>
      byHand.upgrade(profile({ docker: { inject: true }, privateCA: { secret: { name: "login", key: "ca.pem" } } })),
    fix: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "references/no-storage-class": {
    cause: async () =>
      byHand.upgrade(
        profile({ docker: { inject: true, data: { ephemeral: { storageClassName: "fast", size: "10Gi" } } } }),
      ),
    fix: async () => create({ ...storageClass, provisioner: "example.com/disk" } as Resource),
  },
  "runner-pods/unprimed": {
    cause: async () => create(pod("unprimed", { "arc-primer.dev/skip": "true" })),
    fix: async () => call("DELETE", `/api/v1/namespaces/${runners}/pods/unprimed`, { gracePeriodSeconds: 0 }),
  },
  "caches/not-ready": {
    cause: async () => byHand.upgrade({ registryCache: { enabled: true } }),
    fix: async () =>
      writeStatus(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${release}-cache-docker-io`, {
        replicas: 1,
        readyReplicas: 1,
      }),
  },
  "bundles/not-ready": {
    cause: async () => byHand.upgrade({ packageBundles: [{ profile: "default", image: "runner:1" }] }),
    async fix() {
      const { body } = await call<{ items: Resource[] }>("GET", `/apis/apps/v1/namespaces/${namespace}/deployments`);
      const { metadata } = body.items.find(({ metadata: { name } }) => name.includes("-bundle-"))!;
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${metadata.name}`;
      await writeStatus(path, { replicas: 1, readyReplicas: 1 });
    },
  },
  "provider/aks-enforcer": {
    async cause() {
      await patch(nodePath, { metadata: { labels: { "kubernetes.azure.com/cluster": "x" } } });
      await patch(registrationPath, { metadata: { annotations: { "admissions.enforcer/disabled": null } } });
    },
  },
  "provider/gke-port": {
    async cause() {
      await patch(nodePath, {
        metadata: { labels: { "kubernetes.azure.com/cluster": null, "cloud.google.com/gke-nodepool": "x" } },
      });
      await byHand.upgrade({ webhook: { port: 9443 } });
    },
  },
  "provider/gke-autopilot": {
    cause: async () => apply({ ...named("Node", "v1", "gk3-x"), metadata: { name: "gk3-x" } }),
    async fix() {
      await remove(named("Node", "v1", "gk3-x"));
      await patch(nodePath, { metadata: { labels: { "cloud.google.com/gke-nodepool": null } } });
    },
  },
  "provider/openshift-user": {
    cause: async () => create(openshift),
    fix: async () => byHand.upgrade({ openshift: true }),
  },
};

/** Problems that do not occur on this API server. Other tests cover them. */
const testedElsewhere = [
  "api-server/too-old",
  "api-server/no-native-sidecars",
  "image-volumes/dropped",
  "runner-pods/stuck",
];

const configPath = `/api/v1/namespaces/${namespace}/configmaps/${release}`;
const configWith = (settings: object) =>
  JSON.stringify({
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: { default: settings },
  });
const storageClass = named("StorageClass", "storage.k8s.io/v1", "fast");

async function createLogin(space: string, key: string): Promise<void> {
  const data = { [key]: base64('{"auths":{}}') };
  await apply({ ...named("Secret", "v1", "login", space), type: "kubernetes.io/dockerconfigjson", data } as Resource);
}

async function createScaleSets(): Promise<void> {
  await apply(runnerSetDefinition);
  await until(
    "AutoscalingRunnerSet",
    20,
    async () => (await call("GET", pathOf("", runners).slice(0, -1))).status === 200,
  );
  await create(dind);
  await create(withoutDocker);
}

const servers: { close: () => void }[] = [];

/** Starts a webhook that removes restartPolicy from init containers, as a webhook with an old Kubernetes library does. */
async function startStripper(): Promise<object> {
  const { cert, key } = await certificate();
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as {
        request: { uid: string; object: { spec: { initContainers?: Record<string, unknown>[] } } };
      };
      const operations = (asked.object.spec.initContainers ?? []).flatMap((one, index) =>
        ["restartPolicy", "startupProbe", "lifecycle"].flatMap((field) =>
          field in one ? [{ op: "remove", path: `/spec/initContainers/${index}/${field}` }] : [],
        ),
      );
      const answer = {
        uid: asked.uid,
        allowed: true,
        patchType: "JSONPatch",
        patch: base64(JSON.stringify(operations)),
      };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  servers.push(server);
  return {
    name: "stripper.example.com",
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": runners } },
    clientConfig: { url: `https://localhost:${(server.address() as AddressInfo).port}/`, caBundle: base64(cert) },
  };
}

describe.runIf(haveTools("helm"))("doctor", () => {
  beforeAll(async () => {
    await removeLeftovers();
    for (const space of [runners, plain]) await createNamespace(space);
    await createScaleSets();
    byHand = await installByHand();
    await byHand.upgrade(profile({ docker: { inject: true } }));
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    for (const object of [other, gate, stripper, storageClass, openshift, runnerSetDefinition]) await remove(object);
    await label("default", { "arc-primer.dev/inject": null });
    await byHand?.remove();
  });

  test("a healthy cluster: every result is ✓, and the exit code is 0", async () => {
    await until("a healthy cluster", 45, async () => {
      const { status, lines, stderr } = await doctor();
      const notOk = lines.filter((line) => line.status !== "ok");
      if (notOk.length > 0 || status !== 0) throw new Error(`${status} ${stderr} ${JSON.stringify(notOk)}`);
      return true;
    });
    const { lines } = await doctor();
    const found = (name: string) => lines.filter(({ check }) => check === name).map(({ what }) => what);
    expect(found("dry-runs")).toEqual([
      expect.stringContaining(`${plain}/no-docker: profile default, applied inject-docker and wait-for-docker`),
      expect.stringContaining(`${runners}/linux: profile default, applied wait-for-docker`),
    ]);
    expect(found("image-volumes")[0]).toContain("would be safe and save time: each pod of linux");
    expect(found("same-answers")).toEqual([
      `${release}-a and ${release}-b give the same responses as the ConfigMap specifies`,
    ]);
  });

  describe("with missing permissions", () => {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-doctor-"));
    const file = join(folder, "reader.kubeconfig");
    const rights = fileURLToPath(new URL("../../deploy/doctor-rights.yaml", import.meta.url));
    const account = { kind: "ServiceAccount", name: "reader", namespace: plain };
    const apiGroup = "rbac.authorization.k8s.io";
    const binding = (role: string, space?: string) =>
      ({
        ...named(space === undefined ? "ClusterRoleBinding" : "RoleBinding", `${apiGroup}/v1`, role, space),
        roleRef: { apiGroup, kind: "ClusterRole", name: role },
        subjects: [account],
      }) as Resource;
    const unchecked = async () => {
      const { status, lines } = await doctor("--kubeconfig", file);
      const notOk = lines.filter((line) => line.status !== "ok").map((line) => `${line.status} ${line.check}`);
      return { status, notOk: [...new Set(notOk)] };
    };

    beforeAll(async () => {
      await create(named("ServiceAccount", "v1", "reader", plain) as Resource);
      const request = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: 3600 },
      };
      const path = `/api/v1/namespaces/${plain}/serviceaccounts/reader/token`;
      const { body } = await call<{ status: { token: string } }>("POST", path, request);
      const admin = new KubeConfig();
      admin.loadFromDefault();
      writeFileSync(file, JSON.stringify(kubeconfig(admin.getCurrentCluster()!.server, body.status.token)));
      kubectlPrints(["apply", "-f", rights]);
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true });
      await remove(binding("arc-primer-doctor"));
      kubectlPrints(["delete", "-f", rights]);
    });

    test("no permissions: only the version is checked, and nothing is reported as ✗", async () => {
      const { status, notOk } = await unchecked();
      expect(status).toBe(0);
      const names = [
        "image-volumes",
        "namespaces",
        "nodes",
        "other-webhooks",
        "registration",
        "runner-pods",
        "scale-sets",
      ];
      expect(notOk.toSorted()).toEqual(names.map((name) => `unknown ${name}`));
    });

    test("deploy/doctor-rights.yaml without the bindings in namespaces: dry runs and replicas are not checked", async () => {
      await create(binding("arc-primer-doctor"));
      await until("the permissions to take effect", 10, async () => {
        const { status, notOk } = await unchecked();
        // For Kubernetes 1.35 and later, the version is sufficient.
        const others = notOk.filter((name) => name !== "unknown image-volumes");
        expect({ status, others }).toEqual({
          status: 0,
          others: ["unknown certificate", "unknown same-answers", "unknown dry-runs"],
        });
        return true;
      });
    });

    test("with all bindings: everything is checked", async () => {
      for (const space of [runners, plain]) await create(binding("arc-primer-doctor-dry-run", space));
      await create(binding("arc-primer-doctor-replicas", namespace));
      await until("the permissions to take effect", 10, async () => {
        expect(await unchecked()).toEqual({ status: 0, notOk: [] });
        return true;
      });
    });

    test("an invalid token, and an API server that is down", async () => {
      writeFileSync(join(folder, "unreachable"), JSON.stringify(kubeconfig("https://localhost:9", "x")));
      expect(await doctor("--kubeconfig", join(folder, "unreachable"))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("arc-primer: the API server at https://localhost:9 cannot be reached: "),
      });
      const admin = new KubeConfig();
      admin.loadFromDefault();
      writeFileSync(join(folder, "invalid-token"), JSON.stringify(kubeconfig(admin.getCurrentCluster()!.server, "x")));
      expect(await doctor("--kubeconfig", join(folder, "invalid-token"))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("does not accept the credentials of the context x: log in again"),
      });
    });
  });

  test("there is a case for every problem", () => {
    const known = checks.flatMap(({ name, problems }) => Object.keys(problems).map((problem) => `${name}/${problem}`));
    expect([...Object.keys(cases), ...testedElsewhere].toSorted()).toEqual(known.toSorted());
  });

  describe("is caused, reported, fixed by following the advice, and then ✓:", () => {
    const fixByUpgrade = async () => byHand.upgrade(profile({ docker: { inject: true } }));
    test.each(Object.keys(cases))("%s", async (code) => {
      const one = cases[code]!;
      await one.cause();
      const line = await waitForProblem(code);
      expect(line.means).not.toMatch(/\b[A-Z]{2,}_/);
      await (one.fix ?? fixByUpgrade)();
      await waitForOk(code.split("/")[0]!);
      await one.restore?.();
      await fixByUpgrade();
    });
  });
});
