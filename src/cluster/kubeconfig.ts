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
  const config = new KubeConfig();
  if (isInPod) config.loadFromCluster();
  else for (const [index, file] of files.entries()) load(config, file, index === 0);
  if (context !== undefined) config.setCurrentContext(context);
  checkContext(config, source);
  return config;
}

function load(config: KubeConfig, file: string, isFirst: boolean): void {
  if (!existsSync(file)) {
    throw new ClusterError(
      `there is no kubeconfig ${file}: name one with --kubeconfig, or in the environment variable KUBECONFIG`,
    );
  }
  try {
    if (isFirst) return config.loadFromFile(file);
    const more = new KubeConfig();
    more.loadFromFile(file);
    config.mergeConfig(more, config.getCurrentContext() !== undefined); // like kubectl: the first one counts
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
