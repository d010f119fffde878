import { foundOr } from "../readings.ts";
import type { Readings } from "../readings.ts";
import { check } from "./check.ts";
import type { Finding } from "./check.ts";

type Codes = "aks-enforcer" | "gke-port" | "gke-autopilot" | "openshift-user";

export const provider = check({
  name: "provider",
  group: "surroundings",
  looksAt: "Marks of AKS, GKE and OpenShift, and what is to be minded there.",
  problems: {
    "aks-enforcer": {
      status: "warn",
      means: "AKS adds to the namespaceSelector of the registration; the next helm upgrade takes that for a conflict.",
      do: 'Leave webhook.annotations in the chart\'s values at admissions.enforcer/disabled: "true" (docs/install/aks.md).',
    },
    "gke-port": {
      status: "warn",
      means: "GKE's firewall lets the control plane of a private cluster reach ports 443 and 10250 of the nodes alone.",
      do: "Set webhook.port to 10250, or add a firewall rule for PORT (docs/install/gke.md).",
    },
    "gke-autopilot": {
      status: "warn",
      means: "Autopilot admits no privileged pods, except those that Google has allowed. DinD is privileged.",
      do: "Run the scale sets with DinD on a Standard cluster (docs/install/gke.md).",
    },
    "openshift-user": {
      status: "warn",
      means: "OpenShift's constraint restricted-v2 refuses pods that name a user of their own.",
      do: "Set openshift: true in the chart's values (docs/install/openshift.md).",
    },
  },
  look(readings) {
    const name = providerOf(readings);
    if (name === undefined) return [];
    const findings = hints(name, readings);
    return findings.length > 0 ? findings : [{ ok: `this is ${name}, and nothing here is in its way` }];
  },
});

/** The provider whose marks a cluster bears. */
function providerOf({ version, nodes, apiGroups }: Readings): "AKS" | "GKE" | "OpenShift" | undefined {
  const labels = foundOr(nodes, []).flatMap(({ metadata }) => Object.keys(metadata.labels ?? {}));
  if (foundOr(apiGroups, []).includes("security.openshift.io")) return "OpenShift";
  if (labels.some((label) => label.startsWith("kubernetes.azure.com/"))) return "AKS";
  const isGke = foundOr(version, undefined)?.gitVersion.includes("-gke.");
  return isGke || labels.some((label) => label.startsWith("cloud.google.com/gke-")) ? "GKE" : undefined;
}

function hints(name: "AKS" | "GKE" | "OpenShift", { release, nodes }: Readings): Finding<Codes>[] {
  const pod = foundOr(release?.deployment, undefined)?.spec?.template?.spec;
  if (name === "AKS") {
    const annotations = release?.registration.metadata.annotations ?? {};
    const isLeft = !release || annotations["admissions.enforcer/disabled"] === "true";
    return isLeft
      ? []
      : [
          {
            problem: "aks-enforcer",
            what: "this is AKS, and the registration lacks the annotation admissions.enforcer/disabled",
          },
        ];
  }
  if (name === "OpenShift") {
    const isFixed = pod?.securityContext?.runAsUser !== undefined;
    return isFixed
      ? [{ problem: "openshift-user", what: "this is OpenShift, and the Deployment's pods name a user" }]
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
