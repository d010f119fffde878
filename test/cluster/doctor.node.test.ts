import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Line } from "../../src/cluster/checks/check.ts";
import { goldenPod } from "../support/pods.ts";
import { removeLeftovers, doctor, waitForOk, waitForProblem } from "./support/doctor.ts";
import { apply, call, create, createNamespace, list, logs, remove, removeNamespaces, until } from "./support/kube.ts";
import type { Resource } from "./support/kube.ts";
import { deploymentPath, patch, runnerSet, runnerSetDefinition } from "./support/release-by-hand.ts";
import { install, kubectlPrints, namespace, onRelease, release, withImage } from "./support/release.ts";
import { prepareRunnerPod } from "./support/runner-pod.ts";

// doctor on a cluster with nodes, controllers and the installed chart. Only problems that need these are tested here; the others
// are in doctor.apiserver.test.ts.

const runners = "doctor-runners";
const rights = fileURLToPath(new URL("../../deploy/doctor-rights.yaml", import.meta.url));
const configPath = `/api/v1/namespaces/${namespace}/configmaps/${release}`;
const replicas = async () => list("Pod", namespace, "app.kubernetes.io/component=webhook");
const found = (lines: readonly Line[], name: string) =>
  lines.filter(({ check }) => check === name).map(({ status, what }) => `${status}: ${what}`);

beforeAll(() => void withImage({}), 600_000); // builds the image

beforeAll(async () => {
  await removeLeftovers();
  await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
  await createNamespace(runners);
  await apply(runnerSetDefinition);
  await until("AutoscalingRunnerSet", 20, async () => {
    const { status } = await call(
      "GET",
      `/apis/actions.github.com/v1alpha1/namespaces/${runners}/autoscalingrunnersets`,
    );
    return status === 200;
  });
  const { spec } = goldenPod("dind-sidecar");
  const account = { name: spec.serviceAccountName ?? "default", namespace: runners }; // ARC's chart creates it
  await apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: account });
  const volumes = spec.volumes?.filter(({ name }) => !name.startsWith("kube-api-access"));
  const without = <T extends { volumeMounts?: { name: string }[] }>(container: T): T => ({
    ...container,
    volumeMounts: (container.volumeMounts ?? []).filter(({ name }) => !name.startsWith("kube-api-access")),
  });
  const containers = spec.containers.map(without);
  const initContainers = spec.initContainers?.map(without);
  await create(runnerSet("linux", runners, { ...spec, volumes, containers, initContainers }));
  install({}, "--wait", "--timeout", "180s");
}, 400_000);

afterAll(async () => {
  kubectlPrints(["delete", "--ignore-not-found", "-f", rights]);
  await remove({ ...runnerSetDefinition });
  onRelease("uninstall", ["--wait"]);
  await removeNamespaces();
}, 600_000);

test("the installed chart: nothing is broken, and everything is checked", { timeout: 120_000 }, async () => {
  await until("a healthy cluster", 90, async () => {
    const { status, lines } = await doctor();
    const broken = lines.filter((line) => line.status === "fail" || line.status === "unknown");
    if (status !== 0 || broken.length > 0) throw new Error(JSON.stringify(broken));
    return true;
  });
  const { lines } = await doctor();
  expect(found(lines, "nodes")[0]).toMatch(/^ok: \d+ nodes?: kubelet v1\.\d+\.\d+, containerd:\/\/\d+\.\d+/);
  expect(found(lines, "image-volumes")[0]).toMatch(/^ok: /);
  expect(found(lines, "replicas")).toEqual(["ok: 2 of 2 replicas ready"]);
  expect(found(lines, "versions")[0]).toMatch(/^ok: all run version /);
  // These went through the API server and the real kubelet.
  expect(found(lines, "certificate")[0]).toMatch(/: trusted by the caBundle, valid until /);
  expect(found(lines, "same-answers")[0]).toMatch(/ give the same responses as the ConfigMap specifies$/);
  expect(found(lines, "dry-runs")[0]).toContain(`ok: ${runners}/linux: profile default, applied wait-for-docker`);
});

test("the image in a pod, with the permissions in deploy/doctor-rights.yaml", { timeout: 120_000 }, async () => {
  kubectlPrints(["apply", "-f", rights]);
  const bind = (kind: string, role: string, space?: string) => {
    const where = space === undefined ? [] : ["-n", space];
    const account = `--serviceaccount=${runners}:doctor`;
    kubectlPrints([...where, "create", kind, `${role}-test`, `--clusterrole=${role}`, account]);
  };
  await create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "doctor", namespace: runners } });
  bind("clusterrolebinding", "arc-primer-doctor");
  bind("rolebinding", "arc-primer-doctor-dry-run", runners);
  bind("rolebinding", "arc-primer-doctor-replicas", namespace);
  const [webhook] = (await replicas()) as (Resource & { spec: { containers: { image: string }[] } })[];
  const container = {
    name: "doctor",
    image: webhook!.spec.containers[0]!.image,
    imagePullPolicy: "IfNotPresent",
    args: ["doctor"],
  };
  const spec = { restartPolicy: "Never", serviceAccountName: "doctor", containers: [container] };
  await create({ apiVersion: "v1", kind: "Pod", metadata: { name: "doctor", namespace: runners }, spec });
  const phase = await until("doctor to finish", 90, async () => {
    const { body } = await call<{ status: { phase: string } }>("GET", `/api/v1/namespaces/${runners}/pods/doctor`);
    return ["Succeeded", "Failed"].includes(body.status.phase) && body.status.phase;
  });
  const log = await logs(runners, "doctor", "doctor");
  kubectlPrints(["delete", "clusterrolebinding", "arc-primer-doctor-test"]);
  expect({ phase, log }).toEqual({ phase: "Succeeded", log: expect.stringContaining("✓ certificate: ") });
  expect(log).not.toMatch(/^ {2}[?✗] /m);
});

describe("is caused, reported, fixed by following the advice, and then ✓:", { timeout: 240_000 }, () => {
  test("no replica", async () => {
    await patch(deploymentPath, { spec: { replicas: 0 } });
    await waitForProblem("endpoints/none-ready");
    expect(await waitForProblem("dry-runs/not-primed")).toMatchObject({ status: "fail" });
    await patch(deploymentPath, { spec: { replicas: 2 } });
    await until("two replicas", 90, async () => {
      await waitForOk("endpoints");
      await waitForOk("replicas");
      await waitForOk("dry-runs");
      return true;
    });
  });

  test("replicas that cannot be created", async () => {
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "none", namespace } };
    await create({ ...quota, spec: { hard: { pods: "0" } } });
    for (const pod of await replicas()) await remove({ ...pod, apiVersion: "v1", kind: "Pod" }, 0); // a list has no apiVersion and kind in its items
    const { what } = await until("the quota", 60, async () => waitForProblem("replicas/blocked"));
    expect(what).toContain("exceeded quota");
    await remove(quota);
    kubectlPrints(["-n", namespace, "rollout", "restart", `deployment/${release}`]);
    await until("two replicas", 120, async () => {
      await waitForOk("replicas");
      return true;
    });
  });

  test("a rollout that does not finish", async () => {
    const image = "arc-primer:none";
    const { body } = await call<{ spec: { template: { spec: { containers: object[] } } } }>("GET", deploymentPath);
    const [container] = body.spec.template.spec.containers;
    await patch(deploymentPath, { spec: { template: { spec: { containers: [{ ...container, image }] } } } });
    expect((await waitForProblem("versions/not-rolled-out")).what).toContain(image);
    install({}, "--wait", "--timeout", "180s", "--force-conflicts");
    await until("the image under test", 90, async () => {
      await waitForOk("versions");
      return true;
    });
  });

  test("an invalid configuration", async () => {
    await patch(configPath, { data: { "config.yaml": "profils: {}\n" } });
    const { what } = await waitForProblem("configuration/refused");
    expect(what).toContain("profils");
    install({}, "--wait", "--timeout", "180s", "--force-conflicts");
    await waitForOk("configuration");
  });

  test("a runner pod whose Secret is missing, after two minutes", async () => {
    const pod = await prepareRunnerPod("stuck", runners, "echo", {
      layout: "default-mode",
      change({ spec }) {
        const valueFrom = { secretKeyRef: { name: "not-there", key: "token" } };
        spec.containers[0]!.env = [{ name: "TOKEN", valueFrom }];
      },
    });
    await create(pod);
    const { what } = await until("two minutes", 180, async () => waitForProblem("runner-pods/stuck"));
    expect(what).toContain(`${runners}/stuck (CreateContainerConfigError)`);
    await remove(pod, 0);
    await until("the pod's removal", 60, async () => {
      const { lines } = await doctor();
      return !lines.some(({ problem }) => problem === "stuck");
    });
  });
});
