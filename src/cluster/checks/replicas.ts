import type { PodObject } from "../objects.ts";
import { isRunning } from "../readings.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";

export const replicas = check({
  name: "replicas",
  group: "replicas",
  looksAt: "How many replicas are wanted, and how many are ready.",
  problems: {
    "not-ready": {
      status: "warn",
      means: "Fewer replicas take calls than are wanted.",
      do: "kubectl -n NAMESPACE get pods, then describe and logs of those that are not ready.",
    },
    blocked: {
      status: "fail",
      means: "The Deployment's pods cannot be created.",
      do: "Do what the message asks for. A quota needs room, Pod Security a namespace that allows restricted pods, OpenShift the value openshift: true.",
    },
    single: {
      status: "warn",
      means:
        "While the only replica restarts or moves, runner pods are created unprimed, or, with failurePolicy Fail, not at all.",
      do: "Set replicas in the chart's values to 2 or more.",
    },
  },
  look({ release }) {
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
    if (wanted < 2) findings.push({ problem: "single", what: `${counted(wanted, "replica")} wanted` });
    return findings.length > 0 ? findings : [{ ok: what }];
  },
});

export const versions = check({
  name: "versions",
  group: "replicas",
  looksAt: "Whether all replicas run the same image, which the Deployment asks for, and this command's version.",
  problems: {
    different: {
      status: "warn",
      means: "Runner pods come out differently, by the replica that was asked.",
      do: "Wait for the rollout: kubectl -n NAMESPACE rollout status deployment/DEPLOYMENT. A tag that was moved needs a restart of all, or better a digest.",
    },
    "not-rolled-out": {
      status: "warn",
      means: "The Deployment asks for another image than its replicas run.",
      do: "kubectl -n NAMESPACE rollout status deployment/DEPLOYMENT says what it waits for.",
    },
    "other-client": {
      status: "warn",
      means: "What this command says of pods may differ from what the cluster does with them.",
      do: "Use this command in the version that is installed (VERSION).",
    },
  },
  look({ release, ownVersion }) {
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
      const what = `${listed(others.map(({ metadata }) => metadata.name))}: another image than ${image}`;
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
        what: `the replicas have version ${version}, this command ${ownVersion}`,
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
