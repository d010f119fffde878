import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checks } from "../../src/cluster/checks/index.ts";
import { goldenPod } from "../support/pods.ts";
import { haveTools } from "../support/tools.ts";
import { certificate } from "../support/webhook.ts";
import { kubeconfig } from "./support/account.ts";
import { clearTheStage, doctor, isFine, sees } from "./support/doctor.ts";
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

// Each problem that doctor knows, made on purpose in a real API server: doctor says ✗ or !, its advice is followed, and it
// says ✓. What takes a node, or another version of Kubernetes, is in doctor.node.test.ts and in the unit tests.

const [runners, plain] = ["doctor-runners", "doctor-plain"];
const dind = runnerSet("linux", runners, goldenPod("dind-sidecar").spec);
const withoutDocker = runnerSet("no-docker", plain, goldenPod("default-mode").spec);
const inject = { "arc-primer.dev/inject": "enabled" };

let byHand: ByHand;
type Entry = { name: string; [field: string]: unknown };
const entriesNow = async () => (await call<Resource & { webhooks: Entry[] }>("GET", registrationPath)).body.webhooks;

/** Changes every entry of the registration, or those of one name. */
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

/** A problem, how it is made, and what the advice comes to. */
interface Case {
  readonly break: () => Promise<unknown>;
  /** Default: the chart is applied anew, as `helm upgrade` does. */
  readonly mend?: () => Promise<unknown>;
  /** What was changed besides, and is to be as before. */
  readonly after?: () => Promise<unknown>;
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
    break: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({ kubeletVersion: "v1.28.9" }) }),
    mend: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({}) }),
  },
  "image-volumes/unsafe-nodes": {
    async break() {
      await writeStatus(nodePath, { nodeInfo: nodeInfo({ containerRuntimeVersion: "containerd://1.7.27" }) });
      await byHand.upgrade(profile({ docker: { externals: "volume" } }));
    },
    mend: async () => writeStatus(nodePath, { nodeInfo: nodeInfo({}) }),
  },
  "image-volumes/untried": {
    async break() {
      await writeStatus(nodePath, { nodeInfo: nodeInfo({ containerRuntimeVersion: "cri-o://1.35.0" }) });
      await byHand.upgrade(profile({ docker: { externals: "volume" } }));
    },
    async mend() {
      await byHand.upgrade();
      await writeStatus(nodePath, { nodeInfo: nodeInfo({}) });
    },
  },
  "registration/missing": { break: async () => call("DELETE", registrationPath) },
  "registration/several": {
    break: async () => create({ ...other, webhooks: await entriesNow() } as Resource),
    mend: async () => remove(other),
  },
  "entries/missing": {
    break: async () => patch(registrationPath, { webhooks: (await entriesNow()).slice(0, 2) }),
  },
  "entries/no-pods": {
    break: async () => changeEntries(() => ({ objectSelector: { matchLabels: { runner: "yes" } } })),
  },
  "entries/too-many": { break: async () => changeEntries(() => ({ objectSelector: {} })) },
  "ca-bundle/unreadable": { break: async () => trust("nonsense") },
  "ca-bundle/empty": { break: async () => trust("") },
  "ca-bundle/expired": { break: async () => trust((await servingPair({ from: -48, to: -24 })).cert) },
  "ca-bundle/expires-soon": { break: async () => trust((await servingPair({ to: 48 })).cert) },
  "ca-bundle/different": {
    async break() {
      const { cert } = await servingPair();
      await changeEntries(
        ({ clientConfig }) => ({ clientConfig: { ...(clientConfig as object), caBundle: base64(cert) } }),
        "runners-baseline.arc-primer.dev",
      );
    },
  },
  "failure-policy/fail": {
    async break() {
      await byHand.upgrade({ webhook: { failurePolicy: "Fail" } });
      await writeStatus(deploymentPath, { readyReplicas: 1 });
    },
    mend: async () => writeStatus(deploymentPath, { readyReplicas: 2 }),
  },
  "failure-policy/time-out": { break: async () => byHand.upgrade({ webhook: { timeoutSeconds: 30 } }) },
  "failure-policy/mixed": {
    break: async () => changeEntries(() => ({ failurePolicy: "Fail" }), "runners.arc-primer.dev"),
  },
  "other-webhooks/down": {
    async break() {
      const service = { namespace: plain, name: "gate" };
      const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }];
      const namespaceSelector = { matchLabels: inject };
      const entry = { name: "gate.example.com", admissionReviewVersions: ["v1"], sideEffects: "None", rules };
      await create({ ...gate, webhooks: [{ ...entry, namespaceSelector, clientConfig: { service } }] } as Resource);
    },
    mend: async () =>
      patch("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/doctor-gate", { webhooks: [] }),
  },
  "endpoints/no-service": {
    break: async () => call("DELETE", `/api/v1/namespaces/${namespace}/services/${release}`),
  },
  "endpoints/no-port": {
    async break() {
      const service = { name: release, namespace, path: "/mutate", port: 8443 };
      await changeEntries(
        ({ clientConfig }) => ({ clientConfig: { ...(clientConfig as object), service } }),
        "runners.arc-primer.dev",
      );
    },
  },
  "endpoints/none-ready": {
    break: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(false))),
    mend: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(true))),
  },
  "replicas/not-ready": { break: async () => writeStatus(deploymentPath, { readyReplicas: 1 }) },
  "replicas/blocked": {
    break: async () =>
      writeStatus(deploymentPath, {
        readyReplicas: 0,
        conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" }],
      }),
  },
  "replicas/single": { break: async () => byHand.upgrade({ replicas: 1 }) },
  "versions/different": {
    break: async () => replica(1).writePodStatus("sha256:two"),
    mend: async () => replica(1).writePodStatus("sha256:one"),
  },
  "versions/not-rolled-out": {
    break: async () => byHand.upgrade({ image: { repository: "arc-primer", tag: "next" } }),
  },
  "versions/other-client": {
    break: async () =>
      Promise.all(
        byHand.replicas.map((one) =>
          patch(one.podPath, { metadata: { labels: { "app.kubernetes.io/version": "9.9.9" } } }),
        ),
      ),
    mend: async () =>
      Promise.all(
        byHand.replicas.map((one) =>
          patch(one.podPath, { metadata: { labels: { "app.kubernetes.io/version": "0.1.0" } } }),
        ),
      ),
  },
  "certificate/untrusted": {
    break: async () => trust((await servingPair()).cert),
    mend: async () => trust(byHand.pair.cert),
  },
  "certificate/expired": {
    async break() {
      const pair = await servingPair({ to: 3 / 3600 }); // an expired one is not taken up; one that expires is served on
      for (const one of byHand.replicas) one.serve(pair);
    },
    mend: async () => byHand.replicas.forEach((one) => one.serve(byHand.pair)),
  },
  "certificate/expires-soon": {
    async break() {
      const pair = await servingPair({ from: -24 * 80, to: 24 });
      await trust(`${byHand.pair.cert}${pair.cert}`);
      for (const one of byHand.replicas) one.serve(pair);
    },
    async mend() {
      for (const one of byHand.replicas) one.serve(byHand.pair);
      await byHand.upgrade();
    },
  },
  "configuration/refused": {
    break: async () => patch(configPath, { data: { "config.yaml": "kind: PrimerConfiguration\nprofils: {}\n" } }),
  },
  "configuration/missing": { break: async () => call("DELETE", configPath) },
  "configuration/warnings": {
    break: async () =>
      byHand.upgrade({
        config: { profiles: { big: { docker: { inject: true } } }, rules: [{ profile: "big", scaleSets: ["big"] }] },
      }),
  },
  "configuration/audit": { break: async () => byHand.upgrade({ config: { mode: "audit" } }) },
  "same-answers/different": {
    break: async () => replica(1).configure(configWith({ docker: { wait: { timeout: "77s" } } })),
    mend: async () => byHand.upgrade(),
  },
  "same-answers/not-in-force": {
    break: async () =>
      patch(configPath, { data: { "config.yaml": configWith({ docker: { wait: { timeout: "77s" } } }) } }),
    mend: async () =>
      byHand.replicas.forEach((one) => one.configure(configWith({ docker: { wait: { timeout: "77s" } } }))),
  },
  "namespaces/none": {
    break: async () => Promise.all([runners, plain].map((space) => label(space, { "arc-primer.dev/inject": null }))),
    mend: async () => Promise.all([runners, plain].map((space) => label(space, inject))),
  },
  "namespaces/odd-label": {
    break: async () => label(runners, { "arc-primer.dev/inject": "true" }),
    mend: async () => label(runners, inject),
  },
  "namespaces/excluded": {
    break: async () => label(namespace, inject),
    mend: async () => label(namespace, { "arc-primer.dev/inject": null }),
  },
  "scale-sets/no-arc": {
    break: async () => remove(runnerSetDefinition),
    async mend() {
      await createScaleSets();
    },
  },
  "scale-sets/none": {
    break: async () =>
      Promise.all([call("DELETE", pathOf("linux", runners)), call("DELETE", pathOf("no-docker", plain))]),
    mend: async () => Promise.all([create(dind), create(withoutDocker)]),
  },
  "scale-sets/unlabelled": {
    break: async () => create(runnerSet("elsewhere", "default", goldenPod("dind-sidecar").spec)),
    mend: async () => label("default", { "arc-primer.dev/inject": "disabled" }),
  },
  "scale-sets/unmatched": {
    break: async () => changeEntries(() => ({ namespaceSelector: { matchLabels: { team: "ci" } } })),
  },
  "pod-security/rules-out": {
    async break() {
      await byHand.upgrade(profile({ docker: { inject: true } }));
      await label(plain, { "pod-security.kubernetes.io/enforce": "baseline" });
    },
    mend: async () => label(plain, { "pod-security.kubernetes.io/enforce": "privileged" }),
  },
  "profiles/not-given": {
    break: async () => withTemplate({ metadata: { annotations: { "arc-primer.dev/profile": "fast" } } }),
    mend: async () =>
      byHand.upgrade({
        config: { profiles: { fast: {} }, rules: [{ profile: "default", allowedProfiles: ["fast"] }] },
      }),
    after: async () => withTemplate({ metadata: { annotations: { "arc-primer.dev/profile": null } } }),
  },
  "dry-runs/refused": {
    break: async () => label(runners, { "pod-security.kubernetes.io/enforce": "restricted" }),
    mend: async () => label(runners, { "pod-security.kubernetes.io/enforce": "privileged" }),
  },
  "dry-runs/not-primed": {
    async break() {
      await Promise.all(byHand.replicas.map((one) => one.writeEndpoints(false)));
      await Promise.all(byHand.replicas.map((one) => one.restart()));
    },
    mend: async () => Promise.all(byHand.replicas.map((one) => one.writeEndpoints(true))),
  },
  "dry-runs/sidecar-lost": {
    break: async () => create({ ...stripper, webhooks: [await startStripper()] } as Resource),
    mend: async () => remove(stripper),
  },
  "dry-runs/nothing-applied": {
    break: async () => byHand.upgrade(),
    mend: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "dry-runs/left-out": {
    break: async () => byHand.upgrade(profile({ docker: { inject: true }, runner: { container: "main" } })),
    mend: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "dry-runs/no-template": {
    break: async () => create(runnerSet("empty", runners, undefined)),
    mend: async () => call("DELETE", pathOf("empty", runners)),
  },
  "references/missing": {
    break: async () => byHand.upgrade(profile({ docker: { inject: true, credentials: { secret: "login" } } })),
    mend: async () => Promise.all([runners, plain].map((space) => createLogin(space, ".dockerconfigjson"))),
  },
  "references/no-key": {
    break: async () =>
      byHand.upgrade(profile({ docker: { inject: true }, privateCA: { secret: { name: "login", key: "ca.pem" } } })),
    mend: async () => byHand.upgrade(profile({ docker: { inject: true } })),
  },
  "references/no-storage-class": {
    break: async () =>
      byHand.upgrade(
        profile({ docker: { inject: true, data: { ephemeral: { storageClassName: "fast", size: "10Gi" } } } }),
      ),
    mend: async () => create({ ...storageClass, provisioner: "example.com/disk" } as Resource),
  },
  "runner-pods/unprimed": {
    break: async () => create(pod("unprimed", { "arc-primer.dev/skip": "true" })),
    mend: async () => call("DELETE", `/api/v1/namespaces/${runners}/pods/unprimed`, { gracePeriodSeconds: 0 }),
  },
  "caches/not-ready": {
    break: async () => byHand.upgrade({ registryCache: { enabled: true } }),
    mend: async () =>
      writeStatus(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${release}-cache-docker-io`, {
        replicas: 1,
        readyReplicas: 1,
      }),
  },
  "bundles/not-ready": {
    break: async () => byHand.upgrade({ packageBundles: [{ profile: "default", image: "runner:1" }] }),
    async mend() {
      const { body } = await call<{ items: Resource[] }>("GET", `/apis/apps/v1/namespaces/${namespace}/deployments`);
      const { metadata } = body.items.find(({ metadata: { name } }) => name.includes("-bundle-"))!;
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${metadata.name}`;
      await writeStatus(path, { replicas: 1, readyReplicas: 1 });
    },
  },
  "provider/aks-enforcer": {
    async break() {
      await patch(nodePath, { metadata: { labels: { "kubernetes.azure.com/cluster": "x" } } });
      await patch(registrationPath, { metadata: { annotations: { "admissions.enforcer/disabled": null } } });
    },
  },
  "provider/gke-port": {
    async break() {
      await patch(nodePath, {
        metadata: { labels: { "kubernetes.azure.com/cluster": null, "cloud.google.com/gke-nodepool": "x" } },
      });
      await byHand.upgrade({ webhook: { port: 9443 } });
    },
  },
  "provider/gke-autopilot": {
    break: async () => apply({ ...named("Node", "v1", "gk3-x"), metadata: { name: "gk3-x" } }),
    async mend() {
      await remove(named("Node", "v1", "gk3-x"));
      await patch(nodePath, { metadata: { labels: { "cloud.google.com/gke-nodepool": null } } });
    },
  },
  "provider/openshift-user": {
    break: async () => create(openshift),
    mend: async () => byHand.upgrade({ openshift: true }),
  },
};

/** What no API server of the tests' version can show. */
const elsewhere = ["api-server/too-old", "api-server/no-native-sidecars", "image-volumes/dropped", "runner-pods/stuck"];

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

/** A webhook that writes pods back without restartPolicy of init containers, as one with an old library does. */
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
    await clearTheStage();
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

  test("everything is in order: every line is a ✓, and the exit code is 0", async () => {
    await until("a healthy cluster", 45, async () => {
      const { status, lines, stderr } = await doctor();
      const odd = lines.filter((line) => line.status !== "ok");
      if (odd.length > 0 || status !== 0) throw new Error(`${status} ${stderr} ${JSON.stringify(odd)}`);
      return true;
    });
    const { lines } = await doctor();
    const said = (name: string) => lines.filter(({ check }) => check === name).map(({ what }) => what);
    expect(said("dry-runs")).toEqual([
      expect.stringContaining(`${plain}/no-docker: profile default, applied inject-docker and wait-for-docker`),
      expect.stringContaining(`${runners}/linux: profile default, applied wait-for-docker`),
    ]);
    expect(said("image-volumes")[0]).toContain("would be safe, and worth it: each pod of linux");
    expect(said("same-answers")).toEqual([`${release}-a and ${release}-b answer alike, as the ConfigMap says`]);
  });

  describe("with rights that are missing", () => {
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
      const odd = lines.filter((line) => line.status !== "ok").map((line) => `${line.status} ${line.check}`);
      return { status, odd: [...new Set(odd)] };
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

    test("none at all: nothing was checked but the version, and that is no ✗", async () => {
      const { status, odd } = await unchecked();
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
      expect(odd.toSorted()).toEqual(names.map((name) => `unknown ${name}`));
    });

    test("deploy/doctor-rights.yaml without the bindings in namespaces: dry runs and replicas are left out", async () => {
      await create(binding("arc-primer-doctor"));
      await until("the rights", 10, async () => {
        const { status, odd } = await unchecked();
        // Of Kubernetes 1.35 and later it is known without a dry run.
        const others = odd.filter((name) => name !== "unknown image-volumes");
        expect({ status, others }).toEqual({
          status: 0,
          others: ["unknown certificate", "unknown same-answers", "unknown dry-runs"],
        });
        return true;
      });
    });

    test("with all of it: everything was checked", async () => {
      for (const space of [runners, plain]) await create(binding("arc-primer-doctor-dry-run", space));
      await create(binding("arc-primer-doctor-replicas", namespace));
      await until("the rights", 10, async () => {
        expect(await unchecked()).toEqual({ status: 0, odd: [] });
        return true;
      });
    });

    test("a token that is not valid, and an API server that is not there", async () => {
      writeFileSync(join(folder, "nobody"), JSON.stringify(kubeconfig("https://localhost:9", "x")));
      expect(await doctor("--kubeconfig", join(folder, "nobody"))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("arc-primer: the API server at https://localhost:9 cannot be reached: "),
      });
      const admin = new KubeConfig();
      admin.loadFromDefault();
      writeFileSync(join(folder, "stranger"), JSON.stringify(kubeconfig(admin.getCurrentCluster()!.server, "x")));
      expect(await doctor("--kubeconfig", join(folder, "stranger"))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("does not accept the credentials of the context x: log in again"),
      });
    });
  });

  test("there is a case for every problem", () => {
    const known = checks.flatMap(({ name, problems }) => Object.keys(problems).map((problem) => `${name}/${problem}`));
    expect([...Object.keys(cases), ...elsewhere].toSorted()).toEqual(known.toSorted());
  });

  describe("is broken, says so, is mended by its advice, and is fine:", () => {
    const mendByUpgrade = async () => byHand.upgrade(profile({ docker: { inject: true } }));
    test.each(Object.keys(cases))("%s", async (code) => {
      const one = cases[code]!;
      await one.break();
      const line = await sees(code);
      expect(line.means).not.toMatch(/\b[A-Z]{2,}_/);
      await (one.mend ?? mendByUpgrade)();
      await isFine(code.split("/")[0]!);
      await one.after?.();
      await mendByUpgrade();
    });
  });
});
