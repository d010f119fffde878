import { describe, expect, test } from "vitest";
import {
  allEntries,
  deployment,
  forbidden,
  node,
  readings,
  configurationWith,
  marksOf,
} from "../../../test/support/readings.ts";
import type { Node } from "../objects.ts";
import { provider } from "./provider.ts";

const labelled = (name: string, label: string): Node => ({
  ...node(name),
  metadata: { name, labels: { [label]: "x" } },
});
const aks = { nodes: { found: [labelled("a", "kubernetes.azure.com/cluster")] } };
const gke = { version: { found: { major: "1", minor: "34", gitVersion: "v1.34.1-gke.100" } } };
const openshift = { apiGroups: { found: ["security.openshift.io"] } };
const withPod = (changes: object) => {
  const { spec } = deployment;
  const pod = { ...spec?.template?.spec, ...changes };
  return { deployment: { found: { ...deployment, spec: { ...spec, template: { spec: pod } } } } };
};
const port = (containerPort: number) =>
  withPod({ containers: [{ name: "webhook", ports: [{ name: "webhook", containerPort }] }] });
const bare = { webhookConfiguration: { ...configurationWith(allEntries), metadata: { name: "arc-primer" } } };

describe("provider", () => {
  test.each<[string, object, object, string[]]>([
    ["an unknown provider", {}, {}, []],
    ["AKS", aks, {}, ["✓"]],
    ["AKS without the annotation", aks, bare, ["! aks-enforcer"]],
    ["GKE", gke, {}, ["✓"]],
    ["GKE with another port", gke, port(9443), ["! gke-port"]],
    [
      "GKE, recognized by its nodes",
      { nodes: { found: [labelled("a", "cloud.google.com/gke-nodepool")] } },
      port(9443),
      ["! gke-port"],
    ],
    ["Autopilot", { ...gke, nodes: { found: [node("gk3-a")] } }, {}, ["! gke-autopilot"]],
    ["OpenShift", openshift, {}, ["✓"]],
    ["OpenShift with runAsUser", openshift, withPod({ securityContext: { runAsUser: 65532 } }), ["! openshift-user"]],
    ["nothing can be read", { nodes: forbidden, version: forbidden, apiGroups: forbidden }, {}, []],
  ])("%s", (_, changes, release, said) => expect(marksOf(provider, readings(changes, release))).toEqual(said));
});
