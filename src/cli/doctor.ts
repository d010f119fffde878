import { checks } from "../cluster/checks/index.ts";
import { runChecks } from "../cluster/checks/check.ts";
import { connectCluster } from "../cluster/connect.ts";
import type { ClusterOptions } from "../cluster/connect.ts";
import { readCluster } from "../cluster/read.ts";
import type { ReadingParts } from "../cluster/read.ts";
import { createPrime } from "../engine/prime.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { mutations } from "../mutations/index.ts";
import { createAdmit } from "../webhook/admit.ts";
import { doctorReport } from "./doctor-report.ts";
import { startProgress } from "./progress.ts";
import { wantsColor } from "./show.ts";

export interface DoctorOptions extends ClusterOptions {
  readonly output: "text" | "json";
}

/**
 * `arc-primer doctor`: checks a cluster, and prints for each check what was found, what it means and what to do. It changes
 * nothing. The exit code is 1 if a check failed.
 *
 * @throws {ClusterError} if the cluster cannot be read at all
 */
export async function doctor(options: DoctorOptions): Promise<void> {
  const progress = startProgress();
  try {
    progress.say("connecting to the cluster");
    const cluster = await connectCluster(options);
    const readings = await readCluster(cluster, { ...engine(), now: Date.now(), progress: progress.say });
    const lines = runChecks(checks, readings);
    progress.stop();
    const { context, server } = cluster;
    const isBroken = lines.some(({ status }) => status === "fail");
    const result = { version: ARC_PRIMER_VERSION, context, server, broken: isBroken, checks: lines };
    const text =
      options.output === "json"
        ? `${JSON.stringify(result, null, 2)}\n`
        : doctorReport(lines, wantsColor(process.stdout));
    process.stdout.write(text);
    if (isBroken) process.exitCode = 1;
  } finally {
    progress.stop();
  }
}

/** The same engine as in the webhook. Nothing is logged, and the metrics are not exposed. */
function engine(): Pick<ReadingParts, "prime" | "admit" | "ownVersion"> {
  const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const clock = () => performance.now();
  return {
    ownVersion: ARC_PRIMER_VERSION,
    prime,
    admit: (review, podSecurity, config) =>
      createAdmit({ config: () => config, prime, log, metrics, clock })(review, podSecurity),
  };
}
