import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";

/** How to connect to the API server. */
export interface Connection {
  /** The URL of the API server, `https://host:port`. */
  readonly server: string;
  /** The CA to verify the server, and a client certificate or token. Called for each request. */
  credentials(): Promise<RequestOptions>;
}

/** The environment of a pod with a service account (kubernetes.io/docs, "Accessing the Kubernetes API from a Pod"). */
export interface PodEnvironment {
  /** The directory where the service account token is mounted. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const pod: PodEnvironment = { directory: "/var/run/secrets/kubernetes.io/serviceaccount", env: process.env };

/**
 * Uses the pod's service account in a pod. Outside a pod, or if KUBECONFIG is set, it uses a kubeconfig.
 *
 * The Kubernetes client library is loaded only to read a kubeconfig. In a pod, it would take 11 MB, a tenth of the
 * process's memory, to read three files (docs/decisions/0015-measured.md).
 *
 * @throws if KUBECONFIG names a file that cannot be read
 */
export async function connect(environment: PodEnvironment = pod): Promise<Connection> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = environment.env;
  return KUBECONFIG || !KUBERNETES_SERVICE_HOST ? fromKubeconfig() : fromServiceAccount(environment);
}

function fromServiceAccount({ directory, env }: PodEnvironment): Connection {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = env;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    async credentials() {
      // Read for each request: the kubelet rotates the token in place, and the CA may change, too.
      const [token, ca] = await Promise.all(
        ["token", "ca.crt"].map((name) => readFile(`${directory}/${name}`, "utf8")),
      );
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
