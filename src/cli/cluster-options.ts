import type { Command } from "commander";

/** The options of the commands that read a cluster: `ClusterOptions`. */
export function addClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig (default: KUBECONFIG, ~/.kube/config, or in a pod its service account)")
    .option("--context <name>", "a context of it (default: its current one)");
}
