import type { Command } from "commander";

/** Adds the `ClusterOptions` to a command that reads a cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig (default: KUBECONFIG, ~/.kube/config, or the service account in a pod)")
    .option("--context <name>", "context in the kubeconfig (default: the current one)");
}
