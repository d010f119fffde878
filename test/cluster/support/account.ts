import { readFileSync, writeFileSync } from "node:fs";
import { KubeConfig } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { chartFolder, helm } from "../../support/helm.ts";
import { haveTools } from "../../support/tools.ts";
import { apply, call, create, createNamespace, remove } from "./kube.ts";
import type { Resource } from "./kube.ts";

// The service account of a webhook with a self-managed certificate, with only the permissions that the chart grants.

const name = "arc-primer-certificate";

export interface Account {
  readonly token: string;
  /** The Role with its RoleBinding, and the ClusterRole with its ClusterRoleBinding. */
  readonly secretRights: readonly Resource[];
  readonly configurationRights: readonly Resource[];
  /** Writes a kubeconfig file with the account's token for the API server at this URL. */
  writeKubeconfig(file: string, server: string): void;
  /** Removes the cluster-wide objects. */
  remove(): Promise<void>;
}

/**
 * Creates the account `arc-primer` in a new namespace, with an empty Secret for it. If Helm is installed, the chart's
 * ValidatingAdmissionPolicy is also created.
 */
export async function createAccount(namespace: string, secret: Resource, configurationName: string): Promise<Account> {
  const [secretRights, configurationRights] = [
    role("Role", namespace, [
      { apiGroups: [""], resources: ["secrets"], resourceNames: [secret.metadata.name], verbs: ["get", "patch"] },
    ]),
    role("ClusterRole", namespace, [
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["mutatingwebhookconfigurations"],
        resourceNames: [configurationName],
        verbs: ["get", "patch"],
      },
    ]),
  ];
  const clusterWide = [...policy(namespace), ...configurationRights];
  await createNamespace(namespace, {});
  await create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "arc-primer", namespace } });
  for (const object of [...secretRights, ...clusterWide]) await apply(object);
  await create(secret);
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/arc-primer/token`;
  const { token } = (await call<{ status: { token: string } }>("POST", path, request)).body.status;
  return {
    token,
    secretRights,
    configurationRights,
    writeKubeconfig: (file, server) => writeFileSync(file, JSON.stringify(kubeconfig(server, token))),
    async remove() {
      for (const object of clusterWide) await remove(object);
    },
  };
}

function role(kind: "Role" | "ClusterRole", namespace: string, rules: object[]): Resource[] {
  const metadata = { name, ...(kind === "Role" && { namespace }) };
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const subjects = [{ kind: "ServiceAccount", name: "arc-primer", namespace }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name };
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, subjects, roleRef },
  ];
}

/** The chart's ValidatingAdmissionPolicy for an account in this namespace. */
function policy(namespace: string): Resource[] {
  if (!haveTools("helm")) return [];
  const options = `--namespace ${namespace} --set image.repository=arc-primer`;
  const only = "--show-only templates/tls/admission-policy.yaml";
  const { stdout, stderr } = helm(["template", "arc-primer", chartFolder, ...`${options} ${only}`.split(" ")]);
  if (!stdout) throw new Error(stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Resource);
}

/** A kubeconfig with this token for the API server at this URL. */
export function kubeconfig(server: string, token: string): object {
  const admin = new KubeConfig();
  admin.loadFromDefault();
  const { caFile, caData } = admin.getCurrentCluster()!;
  const ca = caData ?? readFileSync(caFile!).toString("base64");
  return {
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": ca } }],
    users: [{ name: "u", user: { token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
}
