import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";

/** How the API server is reached. */
export interface Connection {
  /** Its address, `https://host:port`. */
  readonly server: string;
  /** What a request needs to be trusted and to trust: CA, client certificate or token. Asked for with each request. */
  credentials(): Promise<RequestOptions>;
}

/** What every pod with a service account has (kubernetes.io/docs, "Accessing the Kubernetes API from a Pod"). */
export interface PodSurroundings {
  /** Where the service account is mounted. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const pod: PodSurroundings = { folder: "/var/run/secrets/kubernetes.io/serviceaccount", env: process.env };

/**
 * In a pod, the pod's service account; elsewhere, or with KUBECONFIG, what a kubeconfig says.
 *
 * Kubernetes' client is loaded only where there is a kubeconfig to read. In the pod it would take 11 MB, a tenth of the
 * process, to read three files (docs/decisions/0015-measured.md).
 *
 * @throws if KUBECONFIG names a file that cannot be read
 */
export async function connect(surroundings: PodSurroundings = pod): Promise<Connection> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = surroundings.env;
  return KUBECONFIG || !KUBERNETES_SERVICE_HOST ? fromKubeconfig() : fromServiceAccount(surroundings);
}

function fromServiceAccount({ folder, env }: PodSurroundings): Connection {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = env;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    async credentials() {
      // The kubelet renews the token in place, and the CA may change as well.
      const [token, ca] = await Promise.all(["token", "ca.crt"].map((name) => readFile(`${folder}/${name}`, "utf8")));
      return { ca, headers: { authorization: `Bearer ${token?.trim()}` } };
    },
  };
}

async function fromKubeconfig(): Promise<Connection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromDefault();
  return {
    server: config.getCurrentCluster()?.server ?? "",
    async credentials() {
      const options: RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(options);
      return options;
    },
  };
}
