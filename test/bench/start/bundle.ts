import { parseAllDocuments } from "yaml";
import { parseIndexEntry } from "../../../src/bundles/index-entry.ts";
import { apply, call, get, until } from "../../cluster/support/kube.ts";
import { withImage } from "../../cluster/support/release.ts";
import { patchDeployment, rolledOut } from "../../cluster/support/stack.ts";
import { goldenPod } from "../../support/pods.ts";
import { template } from "../../support/helm.ts";
import type { Manifest } from "../../support/helm.ts";

const namespace = "arc-primer";
const index = "arc-primer-bundles";
const image = goldenPod("dind-sidecar").spec.containers.find(({ name }) => name === "runner")!.image!;

/**
 * Runs the chart's own pods, which build and serve a bundle of a profile's packages for the stock runner image, and makes the
 * webhook offer it. The webhook is the one of `installWebhook`. The bundle server reads the same configuration.
 *
 * @param configuration of the webhook, as plain data
 */
export async function offerBundle(profile: string, { profiles }: { profiles: object }): Promise<void> {
  // The builder runs as root.
  const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
  await patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels } });
  const values = withImage({ config: { profiles }, packageBundles: [{ profile, image }] });
  const { status, stdout, stderr } = template(values, "--namespace", namespace);
  if (status !== 0) throw new Error(stderr);
  const all = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  const isOfBundles = ({ kind, metadata }: Manifest) =>
    metadata.name.startsWith("arc-primer-bundle") && kind !== "PodDisruptionBudget";
  for (const one of all.filter(Boolean).filter(isOfBundles)) {
    if (one.kind === "Deployment") reachableHere(one);
    await apply({ ...one, metadata: { namespace, ...one.metadata } });
  }
  const bundle = await until("the bundle", 600, async () => {
    const { data = {} } = await get<Manifest>("ConfigMap", namespace, index);
    const found = parseIndexEntry(Object.values<string>(data)[0] ?? "");
    if ("problem" in found) throw new Error(found.problem);
    return found;
  });
  process.stderr.write(`a bundle of ${(bundle.bytes / 1e6).toFixed(1)} MB: ${bundle.packages.join(", ")}\n`);
  await mountIndex();
}

/** There is no DNS and no kube-proxy. So the server publishes its pod's address, and the builder uses no resolver. */
function reachableHere({ spec }: Manifest): void {
  const pod = spec.template.spec;
  Object.assign(pod, { dnsPolicy: "None", dnsConfig: { nameservers: ["10.244.0.1"] } });
  const server = pod.containers.find(({ name }: Manifest) => name === "serve");
  server.env = [...server.env, { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }];
  server.args = server.args.map((word: string) => (word.startsWith("--url=") ? "--url=http://$(POD_IP):8081" : word));
}

/** Mounts the index into new pods of the webhook, which find the bundle at once, without waiting for the kubelet's sync. */
async function mountIndex(): Promise<void> {
  const { spec } = await get<Manifest>("Deployment", namespace, "arc-primer");
  const { containers, volumes } = spec.template.spec;
  const [webhook] = containers;
  webhook.args.push("--bundles=/bundles");
  webhook.volumeMounts.push({ name: "bundles", mountPath: "/bundles", readOnly: true });
  volumes.push({ name: "bundles", configMap: { name: index } });
  await patchDeployment({ spec: { template: { spec: { containers, volumes } } } });
  await rolledOut();
}

async function patch(path: string, change: object): Promise<void> {
  const { status, body } = await call("PATCH", path, change, "application/merge-patch+json");
  if (status !== 200) throw new Error(JSON.stringify(body));
}
