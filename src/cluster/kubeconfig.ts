import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";

/** The options of a command that connects to a cluster. */
export interface ClusterOptions {
  /** A kubeconfig file. Default: the files in KUBECONFIG, then ~/.kube/config, then, in a pod, its service account. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig. Default: the current context. */
  readonly context?: string;
}

/** The cluster cannot be read at all. The message is for the user. */
export class ClusterError extends Error {}

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Reads the kubeconfig and selects the context, as the options specify.
 *
 * @throws {ClusterError} if no file exists, a file is not a kubeconfig, or the context or its cluster is not defined
 */
export function readKubeconfig({ kubeconfig, context }: ClusterOptions): KubeConfig {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST, HOME, USERPROFILE } = process.env;
  const named = kubeconfig ?? KUBECONFIG;
  const atHome = join(HOME || USERPROFILE || ".", ".kube", "config"); // a user without an entry in passwd has no homedir()
  const isInPod = !named && !existsSync(atHome) && KUBERNETES_SERVICE_HOST && existsSync(serviceAccountToken);
  const files = named ? (kubeconfig === undefined ? named.split(delimiter).filter(Boolean) : [named]) : [atHome];
  const source = isInPod ? "the pod's service account" : files.join(" and ");
  const config = isInPod ? new KubeConfig() : merged(files);
  if (isInPod) config.loadFromCluster();
  if (context !== undefined) config.setCurrentContext(context);
  checkContext(config, source);
  return config;
}

/** Merges the files as kubectl does: missing files are ignored, and the first definition of a name wins. */
function merged(files: readonly string[]): KubeConfig {
  const [config, ...others] = files.filter((file) => existsSync(file)).map(load);
  if (!config) {
    throw new ClusterError(
      `found no kubeconfig at ${files.join(" or ")}: specify one with --kubeconfig or the environment variable KUBECONFIG`,
    );
  }
  for (const other of others) {
    if (!config.getCurrentContext()) config.setCurrentContext(other.getCurrentContext());
    for (const one of other.getClusters()) if (!config.getCluster(one.name)) config.addCluster(one);
    for (const one of other.getUsers()) if (!config.getUser(one.name)) config.addUser(one);
    for (const one of other.getContexts()) if (!config.getContextObject(one.name)) config.addContext(one);
  }
  return config;
}

function load(file: string): KubeConfig {
  try {
    const config = new KubeConfig();
    config.loadFromFile(file);
    return config;
  } catch (error) {
    throw new ClusterError(`${file} cannot be read as a kubeconfig: ${(error as Error).message}`);
  }
}

function checkContext(config: KubeConfig, source: string): void {
  const name: string | undefined = config.getCurrentContext();
  const names = config.getContexts().map((one) => one.name);
  const known = names.length > 0 ? `its contexts are ${names.join(", ")}` : "it has no contexts";
  if (!name) throw new ClusterError(`${source} has no current context: choose one with --context; ${known}`);
  if (!config.getContextObject(name)) throw new ClusterError(`there is no context ${name} in ${source}; ${known}`);
  if (!config.getCurrentCluster()?.server) {
    throw new ClusterError(
      `the context ${name} in ${source} refers to a cluster that is not defined there or has no server`,
    );
  }
}
