import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";

/** The options of a command that reads a cluster. */
export interface ClusterOptions {
  /** A kubeconfig file. Default: those of KUBECONFIG, ~/.kube/config, or in a pod its service account. */
  readonly kubeconfig?: string;
  /** A context of it. Default: its current one. */
  readonly context?: string;
}

/** Why the cluster cannot be read at all, in words for the user. */
export class ClusterError extends Error {}

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Reads the kubeconfig that the options name, and chooses its context.
 *
 * @throws {ClusterError} if a file is missing or is no kubeconfig, or the context or its cluster is not in it
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

/** These files as one, as kubectl merges them: one that is missing is passed over, and of two by a name the first counts. */
function merged(files: readonly string[]): KubeConfig {
  const [config, ...others] = files.filter((file) => existsSync(file)).map(load);
  if (!config) {
    throw new ClusterError(
      `there is no kubeconfig ${files.join(" or ")}: name one with --kubeconfig, or in the environment variable KUBECONFIG`,
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
  const known = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
  if (!name) throw new ClusterError(`${source} names no current context: choose one with --context; ${known}`);
  if (!config.getContextObject(name)) throw new ClusterError(`there is no context ${name} in ${source}; ${known}`);
  if (!config.getCurrentCluster()?.server) {
    throw new ClusterError(`the context ${name} in ${source} names a cluster that is not in it, or has no server`);
  }
}
