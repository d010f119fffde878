import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { statusAnnotation } from "../../../src/report/status.ts";
import { certificatesIn } from "../../../src/tls/self-managed/secret-contents.ts";
import { goldenPod } from "../../support/pods.ts";
import { freePorts } from "../../support/ports.ts";
import { createAccount } from "./account.ts";
import { call, create, createNamespace, remove, tryCreate, until } from "./kube.ts";
import type { Resource } from "./kube.ts";
import { service, startReplica } from "./replica.ts";

// Creates pods on a real API server continuously while faults are injected into the webhook's replicas. The replicas manage their
// certificates themselves. The certificates expire after seconds, so that they are renewed continuously.

const space = "arc-faults";
const configurationName = "arc-primer-faults";
const secret = {
  apiVersion: "v1",
  kind: "Secret",
  type: "Opaque",
  metadata: { name: "arc-primer-faults", namespace: space },
};
const registration = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: configurationName },
};
const policies = ["Ignore", "Fail"] as const;
type FailurePolicy = (typeof policies)[number];
const namespaceOf = (policy: FailurePolicy) => `${space}-${policy.toLowerCase()}`;
const secretPath = `/api/v1/namespaces/${space}/secrets/${secret.metadata.name}`;
const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configurationName}`;

/** Short enough to renew certificates and reload the configuration within a test. The shutdown delay is the default. */
const settings = [
  "--tls-ca-lifetime=27s",
  "--tls-cert-lifetime=18s",
  "--tls-check-interval=250ms",
  "--watch-interval=250ms",
  "--shutdown-delay=5s",
  "--log-level=error",
];

/** The interval of the readiness checks of the replicas, in milliseconds. A kubelet checks less often. */
const readinessInterval = 250;
const creators = 4;

/** Counts of the pods that were created in a namespace with this failure policy. */
export interface Outcomes {
  pods: number;
  primed: number;
  unprimed: number;
  /** Not created by the API server. */
  rejected: number;
}

export interface Phase {
  readonly fault: string;
  readonly seconds: number;
  /** The number of faults: killed replicas, replaced replicas, and configurations that the current replicas have rejected. */
  readonly times: number;
  readonly outcomes: Readonly<Record<FailurePolicy, Outcomes>>;
  /** The API server's messages for the first rejected pods. */
  readonly messages: readonly string[];
}

export interface Faults {
  readonly phases: readonly Phase[];
  /** The number of CAs that were in the caBundle during the run. */
  readonly cas: number;
  /** The number of certificates that were served during the run. */
  readonly certificates: number;
}

interface Member {
  replica: ReturnType<typeof startReplica>;
  ready: boolean;
  /** The replica is being stopped, so it is not restarted when it exits. */
  stopping: boolean;
}

/** Starts the replicas, restarts those that exit, and gives them one common address for the API server. */
async function startFleet(kubeconfig: string, configFile: string) {
  const members: Member[] = [];
  const endpoint = await service(() => members.filter(({ ready }) => ready).map(({ replica }) => replica.port));
  const start = async () => {
    const [port = 0, opsPort = 0] = await freePorts(2);
    return startReplica({
      kubeconfig,
      port,
      opsPort,
      secret: `${space}/${secret.metadata.name}`,
      configuration: configurationName,
      args: [...settings, `--config=${configFile}`],
      quiet: true, // it logs the broken configuration very often
    });
  };
  const poll = async (member: Member) => {
    if (member.replica.ended() && !member.stopping) member.replica = await start();
    const { status } = await member.replica.readiness().catch(() => ({ status: 0 }));
    member.ready = status === 200;
  };
  const over = new AbortController();
  const polling = (async () => {
    while (!over.signal.aborted) {
      await Promise.all(members.map(poll));
      await sleep(readinessInterval);
    }
  })();
  const ready = async (member: Member) => until("a replica's readiness", 30, async () => member.ready);
  return {
    port: endpoint.port,
    configFile,
    members,
    ready,
    async add(): Promise<Member> {
      const member = { replica: await start(), ready: false, stopping: false };
      members.push(member);
      await ready(member);
      return member;
    },
    /** Shuts the replica down. It receives calls as long as it is ready. */
    async retire(member: Member): Promise<void> {
      member.stopping = true;
      await member.replica.stop();
      members.splice(members.indexOf(member), 1);
    },
    async stop() {
      over.abort();
      await polling;
      await Promise.all(members.map(async ({ replica }) => replica.stop()));
      endpoint.close();
    },
  };
}
type Fleet = Awaited<ReturnType<typeof startFleet>>;

const broken = "profiles: { default: { docker: { wait: { timeout: soon } } } }\n";
const configurations = [
  "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\nprofiles: { default: {} }\nrules: [{ profile: default }]\n",
  broken,
  "{",
];

/** Injects a fault repeatedly until the signal, and returns how often. */
type Fault = (fleet: Fleet, over: AbortSignal) => Promise<number>;

const kill: Fault = async ({ members }, over) => {
  let times = 0;
  for (; !over.aborted; times += 1) {
    await sleep(1000);
    await members[times % members.length]!.replica.kill();
  }
  return times;
};

const roll: Fault = async ({ members, add, retire }, over) => {
  let times = 0;
  for (; !over.aborted; times += 1) {
    await add();
    await retire(members[0]!);
  }
  return times;
};

const configure: Fault = async (fleet, over) => {
  for (let turn = 0; !over.aborted; turn += 1) {
    writeFileSync(fleet.configFile, configurations[turn % configurations.length]!);
    await sleep(1000);
  }
  writeFileSync(fleet.configFile, configurations[0]!);
  return rejectedConfigurations(fleet);
};

const faults: Readonly<Record<string, readonly Fault[]>> = {
  "none but new certificates": [],
  "a replica is killed every second": [kill],
  "rolled out again and again": [roll],
  "broken configuration every second": [configure],
  "all of these at once": [kill, roll, configure],
};

/** How many phases a run has. */
export const troubleCount = Object.keys(faults).length;

let created = 0;

async function createPods(policy: FailurePolicy, phase: Omit<Phase, "times">, over: AbortSignal): Promise<void> {
  const outcomes = phase.outcomes[policy];
  const messages = phase.messages as string[];
  const { metadata, ...rest } = goldenPod("dind-sidecar") as unknown as Resource;
  while (!over.aborted) {
    const name = `pod-${(created += 1)}`;
    const own = { ...metadata, name, namespace: namespaceOf(policy), ownerReferences: undefined };
    const pod = { ...rest, metadata: own } as unknown as Resource;
    const { status, body } = await tryCreate(pod);
    outcomes.pods += 1;
    if (status !== 201) {
      outcomes.rejected += 1;
      if (messages.length < 5) messages.push(`${status} ${String(body["message"])}`);
      continue;
    }
    outcomes[body.metadata.annotations?.[statusAnnotation] ? "primed" : "unprimed"] += 1;
    await remove(pod, 0);
  }
}

const none = (): Outcomes => ({ pods: 0, primed: 0, unprimed: 0, rejected: 0 });

async function runPhase(fleet: Fleet, fault: string, seconds: number): Promise<Phase> {
  const phase = { fault, seconds, outcomes: { Ignore: none(), Fail: none() }, messages: [] };
  const over = new AbortController();
  const creating = Array.from({ length: creators }, async (_, index) =>
    createPods(policies[index % policies.length]!, phase, over.signal),
  );
  const running = faults[fault]!.map(async (one) => one(fleet, over.signal));
  await Promise.race([sleep(seconds * 1000), ...running]); // a fault returns early only if it fails
  over.abort();
  const times = await Promise.all(running);
  await Promise.all(creating);
  for (const member of fleet.members) await fleet.ready(member);
  return { ...phase, times: times.reduce((sum, one) => sum + one, 0) };
}

/** Records the CAs in the caBundle and the served certificates every second, until the signal. */
async function watchCertificates(over: AbortSignal) {
  const seen = { cas: new Set<string>(), certificates: new Set<string>() };
  const decoded = (text = "") => certificatesIn(Buffer.from(text, "base64").toString());
  while (!over.aborted) {
    const { body } = await call<{ data?: Record<string, string> }>("GET", secretPath);
    for (const { fingerprint } of decoded(body.data?.["tls.crt"])) seen.certificates.add(fingerprint);
    const { webhooks } = (await call<{ webhooks: { clientConfig: { caBundle?: string } }[] }>("GET", configurationPath))
      .body;
    for (const { fingerprint } of decoded(webhooks[0]?.clientConfig.caBundle)) seen.cas.add(fingerprint);
    await sleep(1000);
  }
  return seen;
}

async function register(port: number): Promise<void> {
  const file = new URL("../manifests/registration.yaml", import.meta.url);
  const { webhooks } = parse(readFileSync(file, "utf8")) as { webhooks: object[] };
  await create({
    ...registration,
    webhooks: policies.map((failurePolicy) => ({
      ...webhooks[0],
      name: `${failurePolicy.toLowerCase()}.arc-primer.dev`,
      failurePolicy,
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespaceOf(failurePolicy) } },
      clientConfig: { url: `https://localhost:${port}/mutate` },
    })),
  } as Resource);
}

async function rejectedConfigurations({ members }: Fleet): Promise<number> {
  const ready = members.filter((member) => member.ready);
  const texts = await Promise.all(ready.map(async ({ replica }) => replica.metrics().catch(() => "")));
  return texts
    .flatMap((text) => [...text.matchAll(/^arc_primer_reloads_total\{what="config",result="refused"\} (\d+)$/gm)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

/**
 * Creates pods through two replicas of the built program, and injects each fault for `secondsEach` seconds. Half of the pods are
 * created with the failure policy `Ignore` and half with `Fail`.
 */
export async function createPodsUnderFaults(
  secondsEach: number,
  report: (phase: Phase) => void = () => undefined,
): Promise<Faults> {
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-faults-"));
  const [kubeconfig, configFile] = [join(folder, "kubeconfig"), join(folder, "config.yaml")];
  const admin = new KubeConfig();
  admin.loadFromDefault();
  writeFileSync(configFile, configurations[0]!);
  const account = await createAccount(space, secret, configurationName);
  account.writeKubeconfig(kubeconfig, admin.getCurrentCluster()!.server);
  const fleet = await startFleet(kubeconfig, configFile);
  const over = new AbortController();
  try {
    for (const policy of policies) await createNamespace(namespaceOf(policy), {});
    await register(fleet.port);
    await Promise.all([fleet.add(), fleet.add()]);
    await sleep(2000); // until kube-apiserver uses the caBundle
    const watching = watchCertificates(over.signal);
    const phases: Phase[] = [];
    for (const fault of Object.keys(faults)) {
      phases.push(await runPhase(fleet, fault, secondsEach));
      report(phases.at(-1)!);
    }
    over.abort();
    const { cas, certificates } = await watching;
    return { phases, cas: cas.size, certificates: certificates.size };
  } finally {
    over.abort();
    await fleet.stop();
    await remove(registration);
    await account.remove();
    rmSync(folder, { recursive: true });
  }
}
