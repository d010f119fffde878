import { foundOr } from "../readings.ts";
import type { Readings } from "../readings.ts";
import { check } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "aks-enforcer" | "gke-port" | "gke-autopilot" | "openshift-user";

export const provider = check({
  name: "provider",
  group: "environment",
  description: "Whether the cluster runs on AKS, GKE or OpenShift, and the settings that they require.",
  problems: {
    "aks-enforcer": {
      status: "warn",
      means:
        "AKS adds expressions to the namespaceSelector of the webhook configuration, which causes a conflict in the next helm upgrade.",
      do: 'Set webhook.annotations in the chart\'s values to admissions.enforcer/disabled: "true" (docs/install/aks.md).',
    },
    "gke-port": {
      status: "warn",
      means: "In a private cluster, GKE's firewall lets the control plane reach only ports 443 and 10250 of the nodes.",
      do: "Set webhook.port to 10250, or add a firewall rule for PORT (docs/install/gke.md).",
    },
    "gke-autopilot": {
      status: "warn",
      means: "Autopilot rejects privileged pods, except those that Google has allowed. DinD is privileged.",
      do: "Run the scale sets with DinD on a Standard cluster (docs/install/gke.md).",
    },
    "openshift-user": {
      status: "warn",
      means: "OpenShift's security context constraint restricted-v2 rejects pods that set runAsUser.",
      do: "Set openshift: true in the chart's values (docs/install/openshift.md).",
    },
  },
  run(readings) {
    const name = providerOf(readings);
    if (name === undefined) return [];
    const findings = providerProblems(name, readings);
    return findings.length > 0 ? findings : [{ ok: `this is ${name}, and no problem was found` }];
  },
});

/** The provider, recognized by API groups, node labels or the version. */
function providerOf({ version, nodes, apiGroups }: Readings): "AKS" | "GKE" | "OpenShift" | undefined {
  const labels = foundOr(nodes, []).flatMap(({ metadata }) => Object.keys(metadata.labels ?? {}));
  if (foundOr(apiGroups, []).includes("security.openshift.io")) return "OpenShift";
  if (labels.some((label) => label.startsWith("kubernetes.azure.com/"))) return "AKS";
  const isGke = foundOr(version, undefined)?.gitVersion.includes("-gke.");
  return isGke || labels.some((label) => label.startsWith("cloud.google.com/gke-")) ? "GKE" : undefined;
}

function providerProblems(name: "AKS" | "GKE" | "OpenShift", { release, nodes }: Readings): Finding<Codes>[] {
  const pod = foundOr(release?.deployment, undefined)?.spec?.template?.spec;
  if (name === "AKS") {
    const annotations = release?.webhookConfiguration.metadata.annotations ?? {};
    const isDisabled = !release || annotations["admissions.enforcer/disabled"] === "true";
    return isDisabled
      ? []
      : [
          {
            problem: "aks-enforcer",
            what: "this is AKS, and the webhook configuration lacks the annotation admissions.enforcer/disabled",
          },
        ];
  }
  if (name === "OpenShift") {
    const setsUser = pod?.securityContext?.runAsUser !== undefined;
    return setsUser
      ? [{ problem: "openshift-user", what: "this is OpenShift, and the Deployment sets runAsUser" }]
      : [];
  }
  const ports = pod?.containers?.flatMap(({ ports: all = [] }) => all) ?? [];
  const port = ports.find((one) => one.name === "webhook")?.containerPort ?? 10250;
  const isAutopilot = foundOr(nodes, []).some(({ metadata }) => metadata.name.startsWith("gk3-"));
  return [
    ...([443, 10250].includes(port)
      ? []
      : [
          {
            problem: "gke-port" as const,
            what: `this is GKE, and the webhook's port is ${port}`,
            names: { PORT: String(port) },
          },
        ]),
    ...(isAutopilot ? [{ problem: "gke-autopilot" as const, what: "this is GKE Autopilot" }] : []),
  ];
}
