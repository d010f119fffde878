// `helm test` runs this in a separate pod. It creates a runner pod as ARC would, as a dry run, and checks whether the result
// is primed. It prints the pod's status annotation. It exits with code 1 if the pod was not primed in time, or if that cannot
// be determined.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

if (process.env.MODE === "audit") {
  console.error(`The mode is audit: the webhook changes no pods, so a pod does not show whether the webhook was called.
Only the configuration was tested. The decisions are in the webhook's log and in its metrics
(arc_primer_decisions_total). To run the whole test, set the mode to enforce.`);
  process.exit(1);
}

const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port, NAMESPACE, SECONDS } = process.env;
const token = await readFile("/var/run/secrets/kubernetes.io/serviceaccount/token", "utf8");
const host = address.includes(":") ? `[${address}]` : address;
const url = `https://${host}:${port}/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`;

// The pod must be admitted, but does not have to run. So it sets nothing that Pod Security `restricted` forbids, and no user
// that OpenShift has not assigned to the namespace. It also satisfies a quota.
const resources = { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } };
const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "arc-primer-helm-test", labels: { "actions-ephemeral-runner": "True" } },
  spec: {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    initContainers: [{ name: "dind", image: "docker:dind", restartPolicy: "Always", securityContext, resources }],
    containers: [
      {
        name: "runner",
        image: "ghcr.io/actions/actions-runner:latest",
        command: ["/home/runner/run.sh"],
        env: [{ name: "DOCKER_HOST", value: "unix:///var/run/docker.sock" }],
        securityContext,
        resources,
      },
    ],
  },
};

// An API server without image volumes drops them after admission, without an error. In that case, no profile may have
// docker.externals: volume. The test checks this with a volume of its own, which does not depend on the pod's profile.
const needsImageVolumes = process.env.IMAGE_VOLUMES === "true";
if (needsImageVolumes) {
  pod.spec.volumes = [{ name: "image", image: { reference: pod.spec.containers[0].image } }];
  pod.spec.containers[0].volumeMounts = [{ name: "image", mountPath: "/image", readOnly: true }];
}

/** Why the test failed. Undefined if it passed. */
async function problem() {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token.trim()}` };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(pod) });
  const { message, metadata, spec } = await response.json();
  if (response.status !== 201) return `the API server rejected the pod: ${response.status} ${message}`;
  if (needsImageVolumes && !spec.volumes?.some(({ image }) => image)) {
    return "the API server drops image volumes (feature gate ImageVolume, enabled by default since Kubernetes 1.35): set docker.externals to copy or memory in every profile";
  }
  const status = metadata.annotations?.["arc-primer.dev/status"];
  if (!status)
    return "the pod was created unprimed: the webhook was not called, could not be reached, or skipped the pod";
  console.log(status);
  return JSON.parse(status).applied.length > 0 ? undefined : "nothing was applied to the pod";
}

// It takes a moment until the namespace's service account, a new certificate and a new webhook configuration are available.
const end = Date.now() + Number(SECONDS) * 1000;
let last = "";
for (;;) {
  last = await problem().catch((error) => `the API server could not be reached: ${error.cause ?? error}`);
  if (last === undefined) break;
  if (Date.now() > end) {
    console.error(`${last}\nnamespace ${NAMESPACE}, tried for ${SECONDS} s`);
    process.exit(1);
  }
  await sleep(1000);
}
console.log("the runner pod was primed");
