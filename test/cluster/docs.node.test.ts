import { afterAll, beforeAll, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { onCluster } from "../support/docs-commands.ts";
import { DocsFolder } from "../support/docs-folder.ts";
import { call, createNamespace, remove, removeNamespaces, until } from "./support/kube.ts";
import { cacheOnNode, withImage } from "./support/release.ts";
import { runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installRegistry, kubectl } from "./support/stack.ts";

// Runs the commands of the documentation in the order in which a user needs them: installation, inspection of a pod,
// operation, upgrade, uninstallation. Only the name of the image and the name of the pod are replaced.

const folder = new DocsFolder(kubectl().includes("/") ? { kubectl: kubectl() } : {});
let image: { repository: string; tag: string };

/** Runs a command of the documentation. @throws {Error} with its output, if it fails */
function run(command: string, pod = "POD"): string {
  const { repository, tag } = image;
  const here = command
    .replace("image.repository=registry.example.com/arc-primer", `image.repository=${repository},image.tag=${tag}`)
    .replace(" POD ", ` ${pod} `);
  const { status, stdout, stderr } = folder.run(here);
  if (status !== 0) throw new Error(`${here}: ${stderr}${stdout}`);
  return stdout;
}

let count = 0;
/** Creates a runner pod that fits no node, because only its creation matters. */
async function pendingPod(): Promise<RunnerPod> {
  const change = ({ spec }: RunnerPod) => (spec.nodeSelector = { "example.com/no": "node" });
  return runnerPod(`runner-${(count += 1)}`, "arc-runners", "true", { change });
}

const isPrimed = ({ metadata }: RunnerPod) => metadata.annotations?.[statusAnnotation] !== undefined;

beforeAll(() => void (image = withImage({})["image"] as typeof image), 600_000); // builds the image

beforeAll(async () => {
  // The webhook configuration of another test file would also prime pods.
  await call("DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer");
  await createNamespace("arc-runners", {});
  const { address } = await installRegistry("docs-registry");
  const upstreams = { "docker.io": { url: `http://${address}` } };
  // JSON is YAML.
  folder.write("values.yaml", JSON.stringify(withImage({ registryCache: { ...cacheOnNode, upstreams } })));
});

// If a command failed, the release still exists.
afterAll(async () => {
  folder.run("helm uninstall arc-primer -n arc-primer --ignore-not-found --wait");
  folder.run("kubectl delete namespace arc-primer --ignore-not-found");
  folder.remove();
  await removeNamespaces();
}, 600_000);

test("it is installed, the namespace is labelled, and helm test passes", { timeout: 420_000 }, () => {
  run(onCluster.install);
  expect(run(onCluster.label)).toContain("namespace/arc-runners labeled");
  expect(run(onCluster.test)).toMatch(/Phase:\s+Succeeded/);
});

test("the status of a runner pod can be read, and a deleted pod can be kept", async () => {
  const pod = await until("a primed pod", 30, async () => {
    const one = await pendingPod();
    if (isPrimed(one)) return one;
    await remove(one, 0);
    return undefined;
  });
  const { name } = pod.metadata;
  expect(JSON.parse(run(onCluster.status, name))).toMatchObject({ profile: "default", applied: ["wait-for-docker"] });
  expect(run(onCluster.termination, name)).toBe(""); // no container has run
  run(onCluster.keep, name);
  try {
    await remove(pod, 0);
    expect(JSON.parse(run(onCluster.status, name))).toMatchObject({ profile: "default" });
  } finally {
    run(onCluster.letGo, name); // otherwise the namespace could not be deleted
  }
  await until("the deletion of the pod", 30, async () => {
    const { status } = await call("GET", `/api/v1/namespaces/arc-runners/pods/${name}`);
    return status === 404;
  });
});

test("the webhook's log and configuration can be read", () => {
  expect(run(onCluster.log)).toContain('"msg":"listening"');
  expect(run(onCluster.check)).toMatch(/^ok: \d+ profile/);
});

test("it is upgraded and tested, and its failure policy is changed", { timeout: 420_000 }, () => {
  run(onCluster.upgrade);
  expect(run(onCluster.test)).toMatch(/Phase:\s+Succeeded/);
  run(onCluster.ignore);
});

test("a cache's StatefulSet is deleted and created again", { timeout: 300_000 }, () => {
  expect(run(onCluster.deleteCache)).toContain("deleted");
  run(onCluster.upgrade);
});

test("it is uninstalled, and pods are created unchanged", { timeout: 300_000 }, async () => {
  run(onCluster.uninstall);
  const pod = await pendingPod();
  expect(isPrimed(pod)).toBe(false);
  await remove(pod, 0);
  expect(run(onCluster.unlabel)).toContain("arc-runners");
  expect(run(onCluster.deleteNamespace)).toContain("deleted");
});
