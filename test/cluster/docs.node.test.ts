import { afterAll, beforeAll, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { onCluster } from "../support/docs-commands.ts";
import { DocsFolder } from "../support/docs-folder.ts";
import { call, createNamespace, remove, removeNamespaces, until } from "./support/kube.ts";
import { cacheOnNode, withImage } from "./support/release.ts";
import { runnerPod } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installRegistry, kubectl } from "./support/stack.ts";

// The commands of the documentation in the order in which somebody meets them: installation, a look at a pod, operation,
// upgrade, the end. They are run as they are on the pages; only the image and the name of the pod are this cluster's.

const folder = new DocsFolder(kubectl().includes("/") ? { kubectl: kubectl() } : {});
let image: { repository: string; tag: string };

/** Runs a command of the documentation. @throws {Error} with what it printed, if it fails */
function runs(command: string, pod = "POD"): string {
  const { repository, tag } = image;
  const here = command
    .replace("image.repository=registry.example.com/arc-primer", `image.repository=${repository},image.tag=${tag}`)
    .replace(" POD ", ` ${pod} `);
  const { status, stdout, stderr } = folder.run(here);
  if (status !== 0) throw new Error(`${here}: ${stderr}${stdout}`);
  return stdout;
}

let count = 0;
/** A runner pod that no node fits: what is looked at is what the API server made of it. */
async function pendingPod(): Promise<RunnerPod> {
  const change = ({ spec }: RunnerPod) => (spec.nodeSelector = { "example.com/no": "node" });
  return runnerPod(`runner-${(count += 1)}`, "arc-runners", "true", { change });
}

const isPrimed = ({ metadata }: RunnerPod) => metadata.annotations?.[statusAnnotation] !== undefined;

beforeAll(() => void (image = withImage({})["image"] as typeof image), 600_000); // builds the image

beforeAll(async () => {
  // What another file of this tier has registered would prime pods as well.
  await call("DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/arc-primer");
  await createNamespace("arc-runners", {});
  const { address } = await installRegistry("docs-registry");
  const upstreams = { "docker.io": { url: `http://${address}` } };
  // JSON is YAML.
  folder.write("values.yaml", JSON.stringify(withImage({ registryCache: { ...cacheOnNode, upstreams } })));
});

// Where a command has failed, the release is still there.
afterAll(async () => {
  folder.run("helm uninstall arc-primer -n arc-primer --ignore-not-found --wait");
  folder.run("kubectl delete namespace arc-primer --ignore-not-found");
  folder.remove();
  await removeNamespaces();
}, 600_000);

test("it is installed, the namespace is labelled, and helm test passes", { timeout: 420_000 }, () => {
  runs(onCluster.install);
  expect(runs(onCluster.label)).toContain("namespace/arc-runners labeled");
  expect(runs(onCluster.test)).toMatch(/Phase:\s+Succeeded/);
});

test("a runner pod says what was done to it, and can be kept", async () => {
  const pod = await until("a primed pod", 30, async () => {
    const one = await pendingPod();
    if (isPrimed(one)) return one;
    await remove(one, 0);
    return undefined;
  });
  const { name } = pod.metadata;
  expect(JSON.parse(runs(onCluster.status, name))).toMatchObject({ profile: "default", applied: ["wait-for-docker"] });
  expect(runs(onCluster.termination, name)).toBe(""); // nothing of it has run
  runs(onCluster.keep, name);
  try {
    await remove(pod, 0);
    expect(JSON.parse(runs(onCluster.status, name))).toMatchObject({ profile: "default" });
  } finally {
    runs(onCluster.letGo, name); // or the namespace would stay as well
  }
  await until("the pod's end", 30, async () => {
    const { status } = await call("GET", `/api/v1/namespaces/arc-runners/pods/${name}`);
    return status === 404;
  });
});

test("its log and its configuration can be read", () => {
  expect(runs(onCluster.log)).toContain('"msg":"listening"');
  expect(runs(onCluster.check)).toMatch(/^ok: \d+ profile/);
});

test("it is upgraded and tested, and its policy changed", { timeout: 420_000 }, () => {
  runs(onCluster.upgrade);
  expect(runs(onCluster.test)).toMatch(/Phase:\s+Succeeded/);
  runs(onCluster.ignore);
});

test("a cache's StatefulSet is deleted and made again", { timeout: 300_000 }, () => {
  expect(runs(onCluster.deleteCache)).toContain("deleted");
  runs(onCluster.upgrade);
});

test("it is uninstalled, and pods come out as ARC makes them", { timeout: 300_000 }, async () => {
  runs(onCluster.uninstall);
  const pod = await pendingPod();
  expect(isPrimed(pod)).toBe(false);
  await remove(pod, 0);
  expect(runs(onCluster.unlabel)).toContain("arc-runners");
  expect(runs(onCluster.deleteNamespace)).toContain("deleted");
});
