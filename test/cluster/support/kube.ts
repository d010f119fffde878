import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { send } from "../../support/send.ts";

/** An object of the Kubernetes API, as JSON. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [key: string]: unknown;
}

export interface Answer<T = Resource> {
  readonly status: number;
  readonly body: T;
  /** The `Warning` headers, as kubectl prints them. */
  readonly warnings: readonly string[];
}

const plurals: Record<string, string> = {
  "v1/Namespace": "api/v1/namespaces",
  "v1/Pod": "pods",
  "v1/Secret": "secrets",
  "v1/ConfigMap": "configmaps",
  "v1/Service": "services",
  "v1/Event": "events",
  "v1/ResourceQuota": "resourcequotas",
  "v1/LimitRange": "limitranges",
  "v1/ServiceAccount": "serviceaccounts",
  "v1/PersistentVolume": "api/v1/persistentvolumes",
  "v1/PersistentVolumeClaim": "persistentvolumeclaims",
  "rbac.authorization.k8s.io/v1/Role": "roles",
  "rbac.authorization.k8s.io/v1/RoleBinding": "rolebindings",
  "rbac.authorization.k8s.io/v1/ClusterRole": "apis/rbac.authorization.k8s.io/v1/clusterroles",
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  "apps/v1/Deployment": "deployments",
  "apps/v1/StatefulSet": "statefulsets",
  "v1/Node": "api/v1/nodes",
  "discovery.k8s.io/v1/EndpointSlice": "endpointslices",
  "storage.k8s.io/v1/StorageClass": "apis/storage.k8s.io/v1/storageclasses",
  "apiextensions.k8s.io/v1/CustomResourceDefinition": "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "actions.github.com/v1alpha1/AutoscalingRunnerSet": "autoscalingrunnersets",
  "node.k8s.io/v1/RuntimeClass": "apis/node.k8s.io/v1/runtimeclasses",
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration":
    "apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration":
    "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy":
    "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding":
    "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
};

const config = new KubeConfig();
config.loadFromDefault();

/** The URL path of the collection that contains an object. */
function collection({ apiVersion, kind, metadata }: Pick<Resource, "apiVersion" | "kind" | "metadata">): string {
  const plural = plurals[`${apiVersion}/${kind}`];
  if (!plural) throw new Error(`the tests know no path for ${apiVersion} ${kind}`);
  if (plural.includes("/")) return `/${plural}`;
  const group = apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
  return `/${group}/namespaces/${metadata.namespace ?? "default"}/${plural}`;
}

/** Sends a request to the API server and returns the response, whatever its status. */
export async function call<T = Resource>(
  method: string,
  path: string,
  body?: unknown,
  type = "application/json",
): Promise<Answer<T>> {
  const server = config.getCurrentCluster()?.server ?? "";
  const url = new URL(server + path);
  const text = body === undefined ? "" : JSON.stringify(body);
  const own = { accept: "application/json", "content-type": type, "content-length": Buffer.byteLength(text) };
  const options: RequestOptions = { method, headers: own };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, headers } = options;
  const credentials = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const { response, text: received } = await send(url, { method, ...(headers && { headers }), ...credentials }, text);
  const isJson = response.headers["content-type"]?.includes("json");
  const raw = response.headersDistinct["warning"] ?? [];
  return {
    status: response.statusCode ?? 0,
    body: (isJson ? JSON.parse(received) : received) as T,
    warnings: raw.map((line) => JSON.parse(line.replace(/^299 \S+ /, "")) as string),
  };
}

/** Sends a request with this token. The body is a strategic merge patch. */
export async function as(token: string, method: string, path: string, body: unknown) {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/strategic-merge-patch+json" };
  const url = new URL(`${config.getCurrentCluster()?.server}${path}`);
  const { ca } = options;
  const { response, text } = await send(url, { method, headers, ...(ca && { ca }) }, JSON.stringify(body));
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as { message?: string } };
}

async function must<T>(answer: Promise<Answer<T>>, what: string): Promise<T> {
  const { status, body } = await answer;
  if (status < 300) return body;
  throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
}

/** Tries to create the object and returns the API server's response. */
export async function tryCreate<T extends Resource>(object: T): Promise<Answer<T>> {
  return call<T>("POST", collection(object), object);
}

/** Creates the object. Throws if the API server rejects it. */
export async function create<T extends Resource>(object: T): Promise<T> {
  return must(tryCreate(object), `creating ${object.kind} ${object.metadata.name}`);
}

/** Creates or updates the object with server-side apply. */
export async function apply(object: Resource): Promise<Resource> {
  const path = `${collection(object)}/${object.metadata.name}?fieldManager=tests&force=true`;
  return must(
    call("PATCH", path, object, "application/apply-patch+yaml"),
    `applying ${object.kind} ${object.metadata.name}`,
  );
}

export async function get<T = Resource>(kind: string, namespace: string, name: string): Promise<T> {
  const path = `${collection({ apiVersion: kind === "Deployment" ? "apps/v1" : "v1", kind, metadata: { name, namespace } })}/${name}`;
  return must(call<T>("GET", path), `reading ${kind} ${namespace}/${name}`);
}

/** Lists the objects of a kind of core/v1 in a namespace. */
export async function list<T = Resource>(kind: string, namespace: string, selector = ""): Promise<T[]> {
  const path = collection({ apiVersion: "v1", kind, metadata: { name: "", namespace } });
  const { items } = await must(
    call<{ items: T[] }>("GET", `${path}?labelSelector=${encodeURIComponent(selector)}`),
    `listing ${kind}`,
  );
  return items;
}

export async function remove(
  object: Pick<Resource, "apiVersion" | "kind" | "metadata">,
  seconds?: number,
): Promise<void> {
  const options = seconds === undefined ? {} : { gracePeriodSeconds: seconds };
  await call("DELETE", `${collection(object)}/${object.metadata.name}`, options);
}

export async function logs(namespace: string, pod: string, container: string): Promise<string> {
  return must(
    call<string>("GET", `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}`),
    `the log of ${pod}`,
  );
}

/** Polls `look` every 100 ms until it returns a value other than undefined or false. On a timeout, throws its last error. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const seen = last instanceof Error ? `; last seen: ${last.message}` : "";
      throw new Error(`${what} did not happen within ${seconds} s${seen}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A label on the objects that the tests create, except pods, so that an interrupted run can be cleaned up. */
export const runLabel = { "arc-primer.dev/test-run": process.env["CLUSTER_RUN"] ?? "by-hand" };

const namespaces: string[] = [];

/** Creates a namespace, with the label for arc-primer unless other labels are given. Throws if the namespace exists. */
export async function createNamespace(
  name: string,
  labels: Record<string, string> = { "arc-primer.dev/inject": "enabled" },
): Promise<string> {
  await create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { ...labels, ...runLabel } } });
  namespaces.push(name);
  return name;
}

/** Removes the namespaces that createNamespace has created, and waits until they are gone. */
export async function removeNamespaces(seconds = 150): Promise<void> {
  for (const name of namespaces) await remove({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const name of namespaces.splice(0)) {
    await until(`the removal of the namespace ${name}`, seconds, async () => {
      const { status, body } = await call("GET", `/api/v1/namespaces/${name}`);
      if (status !== 404) throw new Error(JSON.stringify(body["status"]));
      return true;
    });
  }
}
