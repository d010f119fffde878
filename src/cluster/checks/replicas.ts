import type { PodObject } from "../objects.ts";
import { isRunning } from "../readings.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const replicas = check({
  name: "replicas",
  group: "replicas",
  description: "The numbers of desired and of ready replicas.",
  problems: {
    "not-ready": {
      status: "warn",
      means: "Fewer replicas are ready than desired.",
      do: "Run kubectl -n NAMESPACE get pods, then kubectl describe and kubectl logs for the pods that are not ready.",
    },
    blocked: {
      status: "fail",
      means: "The pods of the Deployment cannot be created.",
      do: "Fix what the message names: raise the quota, use a namespace where Pod Security allows restricted pods, or set openshift: true on OpenShift.",
    },
    single: {
      status: "warn",
      means:
        "While the only replica restarts or is rescheduled, runner pods are created unprimed or, with failurePolicy Fail, not at all.",
      do: "Set replicas in the chart's values to 2 or more.",
    },
  },
  run({ release }) {
    const { deployment } = release ?? {};
    if (!deployment) return [];
    if (!("found" in deployment)) return [unreadable("the Deployment", deployment)];
    const { metadata, spec, status = {} } = deployment.found;
    const { replicas: wanted = 1 } = spec ?? {};
    const { readyReplicas: ready = 0, conditions = [] } = status;
    const names = { NAMESPACE: metadata.namespace ?? "" };
    const what = `${ready} of ${counted(wanted, "replica")} ready`;
    const failure = conditions.find((one) => one.type === "ReplicaFailure" && one.status === "True");
    if (failure) return [{ problem: "blocked", what: `${what}: ${failure.message ?? "no reason given"}`, names }];
    const findings: Finding<"not-ready" | "single">[] = [];
    if (ready < wanted) findings.push({ problem: "not-ready", what, names });
    if (wanted < 2) findings.push({ problem: "single", what: `${counted(wanted, "replica")} desired` });
    return findings.length > 0 ? findings : [{ ok: what }];
  },
});

export const versions = check({
  name: "versions",
  group: "replicas",
  description: "Whether all replicas run the image that the Deployment specifies, in the same version as this command.",
  problems: {
    different: {
      status: "warn",
      means: "The result for a runner pod depends on the replica that handles it.",
      do: "Wait for the rollout: kubectl -n NAMESPACE rollout status deployment/DEPLOYMENT. If an image tag was moved, restart all replicas, or use a digest instead of a tag.",
    },
    "not-rolled-out": {
      status: "warn",
      means: "The Deployment specifies an image that some of its replicas do not run.",
      do: "Run kubectl -n NAMESPACE rollout status deployment/DEPLOYMENT to see what the rollout waits for.",
    },
    "other-client": {
      status: "warn",
      means: "The results of this command may differ from what the webhook in the cluster does with pods.",
      do: "Use the version of this command that is installed in the cluster (VERSION).",
    },
  },
  run({ release, ownVersion }) {
    const pods = release?.replicas;
    if (!pods) return [];
    if (!("found" in pods)) return [unreadable("the replicas", pods)];
    const running = pods.found.filter(isRunning);
    if (running.length === 0) return [{ unknown: "no replica is running" }];
    const deployment = release.deployment && "found" in release.deployment ? release.deployment.found : undefined;
    const version = running[0]?.metadata.labels?.["app.kubernetes.io/version"] ?? ownVersion;
    const names = { NAMESPACE: release.namespace ?? "", DEPLOYMENT: deployment?.metadata.name ?? "", VERSION: version };
    const digests = [...new Set(running.map(digestOf))];
    const findings: Finding<"different" | "not-rolled-out" | "other-client">[] = [];
    const image = imageOf(deployment?.spec?.template?.spec);
    const others = running.filter(({ spec }) => image !== undefined && imageOf(spec) !== image);
    if (others.length > 0) {
      const what = `${listed(others.map(({ metadata }) => metadata.name))}: not the image ${image}`;
      findings.push({ problem: "not-rolled-out", what, names });
    } else if (digests.length > 1) {
      findings.push({
        problem: "different",
        what: `the replicas run ${digests.length} different images: ${listed(digests)}`,
        names,
      });
    }
    if (version !== ownVersion.replace("+", "_")) {
      findings.push({
        problem: "other-client",
        what: `the replicas have version ${version}, and this command has version ${ownVersion}`,
        names,
      });
    }
    return findings.length > 0 ? findings : [{ ok: `all run version ${version}, from the same image` }];
  },
});

function imageOf(spec: PodObject["spec"]): string | undefined {
  return spec?.containers?.find(({ name }) => name === "webhook")?.image;
}

function digestOf({ status, spec }: PodObject): string {
  return (
    status?.containerStatuses?.find(({ name }) => name === "webhook")?.imageID ?? imageOf(spec) ?? "an unknown image"
  );
}
