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
import { nothingFound, readManifestInput } from "./manifest-input.ts";
import { startProgress } from "./progress.ts";

export interface ExplainOptions extends ClusterOptions {
  /** A manifest; without it a pod or scale set of the cluster is explained. */
  readonly filename?: string;
  readonly namespace?: string;
  readonly config?: string;
  /** `NAMESPACE/NAME` */
  readonly configMap?: string;
  readonly podSecurity?: PodSecurity;
  readonly output: "text" | "json";
}

/** What was explained, by which configuration. */
interface Explained {
  /** Where the configuration comes from. */
  readonly configuration: string;
  readonly explanations: readonly Explanation[];
}

/**
 * `arc-primer explain`: tells in sentences what was done to a pod or would be done, what was not and why, and which
 * setting decides. Changes nothing.
 *
 * @param what a pod or a scale set of the cluster; undefined with a manifest
 * @throws {Error} if it is not there, or the cluster or the configuration cannot be read
 */
export async function explain(what: string | undefined, options: ExplainOptions): Promise<void> {
  const progress = startProgress();
  try {
    const { filename } = options;
    const explained =
      filename === undefined ? await inCluster(what ?? "", options, progress.say) : await inManifest(filename, options);
    progress.stop();
    const { configuration, explanations } = explained;
    const text = [`Configuration: ${configuration}.\n`, ...explanations.map(explanationText)].join("\n");
    process.stdout.write(options.output === "json" ? `${JSON.stringify(explained, null, 2)}\n` : text);
  } finally {
    progress.stop();
  }
}

async function inManifest(file: string, options: ExplainOptions): Promise<Explained> {
  const config = await readConfig(options.config);
  const input = await readManifestInput(file);
  const { namespace: fallback = "default", podSecurity = "privileged" } = options;
  const explanations = input.documents.flatMap(({ value }) => {
    const explained: Explanation[] = [];
    const { findings } = primeManifest(value, fallback, (pod, namespace) => {
      const { explanation, primed } = explainPod({ subject: "", pod, namespace, podSecurity, config });
      explained.push(explanation);
      return primed;
    });
    return explained.map((one, index) => ({ ...one, subject: findings[index]?.subject ?? "" }));
  });
  if (explanations.length === 0) throw new Error(nothingFound(input));
  const builtIn = "the built-in default (--config names another)";
  return { configuration: options.config ?? builtIn, explanations };
}

async function inCluster(what: string, options: ExplainOptions, say: (what: string) => void): Promise<Explained> {
  say("connecting to the cluster");
  const cluster = await connectCluster(options);
  const namespace = options.namespace ?? cluster.namespace;
  say(`looking for ${what} in the namespace ${namespace}`);
  const runner = await findRunner(cluster, namespace, what);
  say("reading the configuration in force");
  const [{ config, source }, bundles, path] = await Promise.all([
    configFor(cluster, options),
    readPublishedBundles(cluster),
    readAdmissionPath(cluster, namespace, runner.isLive ? runner.pod : undefined),
  ]);
  const { podSecurity = path.podSecurity } = options;
  const { explanation } = explainPod({
    ...runner,
    namespace,
    podSecurity,
    config,
    bundles,
    time: Date.now(),
    before: path.statements,
  });
  return { configuration: source, explanations: [explanation] };
}

/** The file that is named, or else what the cluster has. */
async function configFor(cluster: Cluster, options: ExplainOptions): Promise<{ config: Config; source: string }> {
  if (options.config !== undefined) {
    return { config: await readConfig(options.config), source: `${options.config} (not read from the cluster)` };
  }
  const found = await readCurrentConfig(cluster, options.configMap);
  if (found.config) return found;
  throw new Error(`${found.problem}. With --config FILE it is explained by that file`);
}
