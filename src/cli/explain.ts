import { readCurrentConfig, readPublishedBundles } from "../cluster/current-config.ts";
import { connectCluster } from "../cluster/connect.ts";
import type { Cluster, ClusterOptions } from "../cluster/connect.ts";
import { findRunner } from "../cluster/find-runner.ts";
import { readAdmissionPath } from "../cluster/admission-path.ts";
import type { Config } from "../config/schema.ts";
import { primeManifest } from "../manifests/prime-manifest.ts";
import type { PodSecurity } from "../pod/pod-security.ts";
import type { Explanation } from "../report/explanation.ts";
import { explanationText } from "../report/explanation-text.ts";
import { readConfig } from "./config.ts";
import { explainPod } from "./explain-pod.ts";
import { noPodsMessage, readManifestInput } from "./manifest-input.ts";
import { startProgress } from "./progress.ts";

export interface ExplainOptions extends ClusterOptions {
  /** A manifest. Without it, a pod or scale set in the cluster is explained. */
  readonly filename?: string;
  readonly namespace?: string;
  readonly config?: string;
  /** `NAMESPACE/NAME` */
  readonly configMap?: string;
  readonly podSecurity?: PodSecurity;
  readonly output: "text" | "json";
}

interface Result {
  /** The source of the configuration. */
  readonly configuration: string;
  readonly explanations: readonly Explanation[];
}

/**
 * `arc-primer explain`: explains in sentences what was or would be changed in a pod, what was skipped and why, and which
 * setting decides it. Changes nothing.
 *
 * @param target the name of a pod or scale set in the cluster; undefined if `options.filename` names a manifest
 * @throws {Error} if the target does not exist, or the cluster or the configuration cannot be read
 */
export async function explain(target: string | undefined, options: ExplainOptions): Promise<void> {
  const progress = startProgress();
  try {
    const { filename } = options;
    const result =
      filename === undefined
        ? await explainInCluster(target ?? "", options, progress.say)
        : await explainManifest(filename, options);
    progress.stop();
    const { configuration, explanations } = result;
    const text = [`Configuration: ${configuration}.\n`, ...explanations.map(explanationText)].join("\n");
    process.stdout.write(options.output === "json" ? `${JSON.stringify(result, null, 2)}\n` : text);
  } finally {
    progress.stop();
  }
}

async function explainManifest(file: string, options: ExplainOptions): Promise<Result> {
  const config = await readConfig(options.config);
  const input = await readManifestInput(file);
  const { namespace: defaultNamespace = "default", podSecurity = "privileged" } = options;
  const explanations = input.documents.flatMap(({ value }) => {
    const explained: Explanation[] = [];
    const { findings } = primeManifest(value, defaultNamespace, (pod, namespace) => {
      const { explanation, primed } = explainPod({ subject: "", pod, namespace, podSecurity, config });
      explained.push(explanation);
      return primed;
    });
    return explained.map((explanation, index) => ({ ...explanation, subject: findings[index]?.subject ?? "" }));
  });
  if (explanations.length === 0) throw new Error(noPodsMessage(input));
  const builtIn = "the built-in default (use --config for another)";
  return { configuration: options.config ?? builtIn, explanations };
}

async function explainInCluster(target: string, options: ExplainOptions, say: (text: string) => void): Promise<Result> {
  say("connecting to the cluster");
  const cluster = await connectCluster(options);
  const namespace = options.namespace ?? cluster.namespace;
  say(`looking for ${target} in the namespace ${namespace}`);
  const runner = await findRunner(cluster, namespace, target);
  say("reading the configuration of the cluster");
  const [{ config, source }, bundles, path] = await Promise.all([
    configFor(cluster, options),
    readPublishedBundles(cluster),
    readAdmissionPath(cluster, namespace, runner.isLive ? runner.pod : undefined),
  ]);
  const { podSecurity = path.podSecurity } = options;
  const { explanation } = explainPod({
    subject: runner.subject,
    pod: runner.pod,
    original: runner.asked,
    namespace,
    podSecurity,
    config,
    bundles,
    time: Date.now(),
    before: path.statements,
  });
  return { configuration: source, explanations: [explanation] };
}

/** The configuration from the `--config` file, or else from the cluster. */
async function configFor(cluster: Cluster, options: ExplainOptions): Promise<{ config: Config; source: string }> {
  if (options.config !== undefined) {
    return { config: await readConfig(options.config), source: `${options.config} (not read from the cluster)` };
  }
  const found = await readCurrentConfig(cluster, options.configMap);
  if (found.config) return found;
  throw new Error(`${found.problem}. Use --config FILE to explain with a local configuration`);
}
