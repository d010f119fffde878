import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { statusAnnotation } from "../../src/report/status.ts";
import { certificatesIn } from "../../src/tls/self-managed/secret-contents.ts";
import { goldenPod } from "../support/pods.ts";
import { freePorts } from "../support/ports.ts";
import { haveTools } from "../support/tools.ts";
import { createAccount } from "./support/account.ts";
import type { Account } from "./support/account.ts";
import { apply, as, call, create, createNamespace, remove, tryCreate, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { gate, handshake, startReplica } from "./support/replica.ts";

// Tests the self-managed certificate with a real API server: two replicas of the real bundle have only the permissions that
// the chart grants. Lifetimes are so short that everything is renewed several times while pods are created.

const space = "arc-tls";
const secretName = "arc-primer-tls";
const configurationName = "arc-primer-tls";
const times = ["--tls-ca-lifetime=27s", "--tls-cert-lifetime=18s", "--tls-check-interval=250ms", "--shutdown-delay=0s"]; // settling: 3 s
const secretPath = `/api/v1/namespaces/${space}/secrets/${secretName}`;
const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configurationName}`;
const folder = mkdtempSync(join(tmpdir(), "arc-primer-tls-"));

type Replica = ReturnType<typeof startReplica>;
interface Configuration extends Resource {
  webhooks: { name: string; clientConfig: { url: string; caBundle?: string } }[];
}

const decoded = (text: string) => Buffer.from(text, "base64").toString();
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const secret = async () => (await call<{ data?: Record<string, string> }>("GET", secretPath)).body.data ?? {};
const caBundles = async () => {
  const { body } = await call<Configuration>("GET", configurationPath);
  return body.webhooks.map(({ clientConfig }) => decoded(clientConfig.caBundle ?? ""));
};
const emptySecret = {
  apiVersion: "v1",
  kind: "Secret",
  type: "Opaque",
  metadata: { name: secretName, namespace: space },
};

/** Each replica has its own entry and namespace, so that the namespace of a pod determines which replica is called. */
const namespaceOf = (replica: number) => `arc-tls-${replica}`;
let replicas: Replica[] = [];
let proxy: Awaited<ReturnType<typeof gate>>;
let account: Account;

const isHelmHere = haveTools("helm");

async function tryPod(replica: number, name: string) {
  const { metadata, ...rest } = goldenPod("dind-sidecar") as unknown as Resource;
  const own = { ...metadata, name, namespace: namespaceOf(replica), ownerReferences: undefined };
  const { status, body } = await tryCreate({ ...rest, metadata: own } as Resource);
  if (status !== 201) return `${status} ${(body as unknown as { message: string }).message}`;
  return body.metadata.annotations?.[statusAnnotation] ? "primed" : "not primed";
}

/** Creates pods in both namespaces and makes handshakes continuously while `act` runs. Returns the outcomes. */
async function createPodsDuring(act: () => Promise<unknown>) {
  const stop = new AbortController();
  const outcomes: string[] = [];
  const fingerprints = { serving: new Set<string>(), cas: new Set<string>() };
  const pods = [0, 1].map(async (replica) => {
    for (let index = 0; !stop.signal.aborted; index++) {
      outcomes.push(await tryPod(replica, `p${Date.now()}-${index}`));
      await sleep(20);
    }
  });
  const handshakes = (async () => {
    for (let before = (await caBundles())[0]!; !stop.signal.aborted;) {
      const [present = ""] = await caBundles();
      for (const { fingerprint } of certificatesIn(present)) fingerprints.cas.add(fingerprint);
      // Also accept the previous caBundle, because kube-apiserver may lag behind.
      for (const { port } of replicas) fingerprints.serving.add(await handshake(port, before || present));
      before = present;
      await sleep(500);
    }
  })();
  try {
    await act();
  } finally {
    stop.abort();
    await Promise.all([...pods, handshakes]);
  }
  return { outcomes, ...fingerprints };
}

const onlyPrimed = (outcomes: readonly string[]) => outcomes.filter((outcome) => outcome !== "primed");

beforeAll(async () => {
  account = await createAccount(space, emptySecret, configurationName);
  for (const replica of [0, 1]) await createNamespace(namespaceOf(replica), {});
  const ports = await freePorts(4);
  const registration = parse(
    readFileSync(new URL("manifests/registration.yaml", import.meta.url), "utf8"),
  ) as Configuration;
  const [entry] = registration.webhooks;
  await create({
    ...registration,
    metadata: { name: configurationName },
    webhooks: [0, 1].map((replica) => ({
      ...entry,
      name: `replica-${replica}.arc-primer.dev`,
      failurePolicy: "Fail",
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespaceOf(replica) } },
      clientConfig: { url: `https://localhost:${ports[replica]}/mutate` },
    })),
  });

  const admin = new KubeConfig();
  admin.loadFromDefault();
  const server = new URL(admin.getCurrentCluster()!.server);
  proxy = await gate({ host: server.hostname, port: Number(server.port) });
  const urls = [server.origin, `https://localhost:${proxy.port}`]; // the second replica's connection can be interrupted
  replicas = urls.map((url, index) => {
    const kubeconfig = join(folder, `replica-${index}`);
    account.writeKubeconfig(kubeconfig, url);
    return startReplica({
      kubeconfig,
      port: ports[index]!,
      opsPort: ports[index + 2]!,
      secret: `${space}/${secretName}`,
      configuration: configurationName,
      args: times,
    });
  });
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  proxy?.close();
  await remove({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: configurationName },
  });
  await account?.remove();
  rmSync(folder, { recursive: true });
});

test("two replicas at once, from an empty Secret: both serve the same certificate, and kube-apiserver trusts its CA", async () => {
  await until("readiness", 20, async () => {
    const answers = await Promise.all(replicas.map((replica) => replica.readiness()));
    return answers.every(({ status }) => status === 200);
  });
  const data = await secret();
  expect(Object.keys(data).toSorted()).toEqual(["ca-bundle.crt", "ca.crt", "ca.key", "tls.crt", "tls.key"]);
  expect(await caBundles()).toEqual([decoded(data["ca.crt"]!), decoded(data["ca.crt"]!)]);
  const served = await Promise.all(replicas.map(({ port }) => handshake(port, decoded(data["ca.crt"]!))));
  expect(served[0]).toBe(served[1]);
  const created = replicas.flatMap((replica) => replica.lines()).filter(({ msg }) => msg.startsWith("the Secret was"));
  expect(created).toHaveLength(1);
  await until("a primed pod", 5, async () => (await tryPod(0, `first-${Date.now()}`)) === "primed");
  await until("a primed pod", 5, async () => (await tryPod(1, `first-${Date.now()}`)) === "primed");
});

test("certificate and CA are renewed repeatedly: every pod is primed", async () => {
  const { outcomes, serving, cas } = await createPodsDuring(() => sleep(50_000));
  expect(onlyPrimed(outcomes)).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(200);
  expect(cas.size).toBeGreaterThanOrEqual(3);
  expect(serving.size).toBeGreaterThanOrEqual(4);
  expect(certificatesIn((await caBundles())[0]!).length).toBeLessThanOrEqual(3);
  process.stderr.write(`${outcomes.length} pods, ${cas.size} CAs, ${serving.size} certificates\n`);
});

test("an emptied caBundle is restored within seconds", async () => {
  const [wanted] = await caBundles();
  const empty = [0, 1].map((replica) => ({
    name: `replica-${replica}.arc-primer.dev`,
    clientConfig: { caBundle: "" },
  }));
  const type = "application/strategic-merge-patch+json";
  expect((await call("PATCH", configurationPath, { webhooks: empty }, type)).status).toBe(200);
  const began = performance.now();
  await until("the repair", 5, async () => (await caBundles()).every((text) => text !== ""));
  process.stderr.write(`repaired after ${Math.round(performance.now() - began)} ms\n`);
  expect(certificatesIn((await caBundles())[1]!).length).toBeGreaterThanOrEqual(certificatesIn(wanted!).length);
  for (const replica of [0, 1]) {
    await until("a primed pod", 5, async () => (await tryPod(replica, `repaired-${Date.now()}`)) === "primed");
  }
});

describe("failures while pods are created", () => {
  /** Returns a function that waits for a new log line of a replica that contains a text. */
  const logged = (replica: number) => {
    const from = replicas[replica]!.lines().length;
    return (text: string) =>
      until(`the log of replica ${replica}: ${text}`, 15, async () =>
        replicas[replica]!.lines()
          .slice(from)
          .find((line) => JSON.stringify(line).includes(text)),
      );
  };

  test("a replica that cannot reach the API server continues to serve its certificate", async () => {
    const log = logged(1);
    const { outcomes } = await createPodsDuring(async () => {
      proxy.shut();
      expect(await log("cannot reach the API server at")).toMatchObject({ level: "error" });
      await sleep(4000);
      expect(await replicas[1]!.readiness()).toMatchObject({ status: 200 });
      proxy.open();
      await log("certificate management works again");
    });
    expect(onlyPrimed(outcomes)).toEqual([]);
  });

  test.each<[string, "secretRights" | "configurationRights", string]>([
    ["the Secret", "secretRights", `forbidden; required permission: a Role in ${space}, with get and patch on secrets`],
    ["the webhook configuration", "configurationRights", "forbidden; required permission: a ClusterRole with get and"],
  ])("the permission for %s is removed temporarily", async (_, rights, message) => {
    const [, binding] = account[rights];
    const logs = [0, 1].map(logged);
    const { outcomes } = await createPodsDuring(async () => {
      await remove(binding!);
      for (const log of logs) await log(message);
      await sleep(2000);
      await create(binding!);
      for (const log of logs) await log("certificate management works again");
    });
    expect(onlyPrimed(outcomes)).toEqual([]);
  });

  test("garbage in the Secret is replaced", async () => {
    const log = logged(0);
    const { outcomes } = await createPodsDuring(async () => {
      const garbage = Object.fromEntries(
        Object.keys(await secret()).map((key) => [key, Buffer.from("nonsense").toString("base64")]),
      );
      expect((await call("PATCH", secretPath, { data: garbage }, "application/merge-patch+json")).status).toBe(200);
      await until("the repair", 5, async () => decoded((await secret())["ca.crt"]!).startsWith("-----BEGIN CERT"));
      await log("serving a new certificate");
    });
    expect(onlyPrimed(outcomes)).toEqual([]);
    const [trusted = ""] = await caBundles();
    expect(trusted).toContain(decoded((await secret())["ca.crt"]!));
  });

  test("the Secret is deleted, and created again by the chart", async () => {
    const log = logged(0);
    const { outcomes } = await createPodsDuring(async () => {
      await remove(emptySecret);
      await log("not found; it must exist already");
      await apply(emptySecret);
      await log("certificate management works again");
      await log("serving a new certificate");
    });
    expect(onlyPrimed(outcomes)).toEqual([]);
  });
});

describe.runIf(isHelmHere)("changes by someone with the webhook's token", () => {
  const name = "replica-0.arc-primer.dev";
  const everything = { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"], scope: "*" };
  const entry = { name: "more.arc-primer.dev", admissionReviewVersions: ["v1"], sideEffects: "None" };

  test.each<[string, object]>([
    ["adds rules for all resources", { webhooks: [{ name, rules: [everything] }] }],
    ["selects all namespaces", { webhooks: [{ name, namespaceSelector: { $patch: "replace" } }] }],
    ["selects all pods", { webhooks: [{ name, objectSelector: null }] }],
    ["selects Windows pods", { webhooks: [{ name, matchConditions: [{ name: "all", expression: "true" }] }] }],
    [
      "redirects the calls to another server",
      { webhooks: [{ name, clientConfig: { url: "https://evil.example.com/" } }] },
    ],
    [
      "changes the failure policy and the timeout",
      { webhooks: [{ name, failurePolicy: "Ignore", timeoutSeconds: 30 }] },
    ],
    ["adds an entry", { webhooks: [{ ...entry, clientConfig: { url: "https://evil.example.com/" } }] }],
    ["removes an entry", { webhooks: [{ name, $patch: "delete" }] }],
    [
      "lets cert-manager write the caBundle",
      { metadata: { annotations: { "cert-manager.io/inject-ca-from": "a/b" } } },
    ],
    ["prevents deletion with a finalizer", { metadata: { finalizers: ["example.com/stay"] } }],
  ])("%s: denied", async (_what, patch) => {
    const { status, body } = await as(account.token, "PATCH", configurationPath, patch);
    expect({ status, message: body.message }).toEqual({
      status: 422,
      message: expect.stringContaining(
        "arc-primer's service account may change only the caBundle of a webhook configuration,",
      ),
    });
  });

  test("changes a caBundle: allowed, and repaired", async () => {
    const patch = { webhooks: [{ name, clientConfig: { caBundle: "" } }] };
    expect(await as(account.token, "PATCH", configurationPath, patch)).toMatchObject({ status: 200 });
    await until("the repair", 5, async () => (await caBundles()).every((text) => text !== ""));
  });
});

test("metrics count the writes, and the replicas exit with code 0", async () => {
  const texts = await Promise.all(replicas.map((replica) => replica.metrics()));
  const all = texts.join("\n");
  expect(all).toMatch(/self_managed_writes_total\{what="authority",result="written"\} [1-9]/);
  expect(all).toMatch(/self_managed_writes_total\{what="ca-bundle",result="written"\} [1-9]/);
  for (const text of texts) {
    expect(text).toMatch(/^arc_primer_ca_expiry_timestamp_seconds \d{10}/m);
    expect(text).toMatch(/^arc_primer_certificate_expiry_timestamp_seconds \d{10}/m);
  }
  expect(await Promise.all(replicas.map((replica) => replica.stop()))).toEqual([0, 0]);
});
