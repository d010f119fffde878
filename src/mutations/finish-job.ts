import { stopAfterRunner } from "../docker/stop-after-runner.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { addPreStop, hasOtherPreStop } from "../pod/hook.ts";
import awaitRunner from "../scripts/await-runner.sh";
import script from "../scripts/finish-job.sh";
import holdDocker from "../scripts/hold-docker.sh";

const name = "arc-primer-finish-job";

/**
 * Lets a running job finish when its pod is deleted or evicted. A preStop hook of the runner container returns at once if
 * no job is running. Otherwise it waits until the runner exits by itself, for at most the grace period minus a reserve.
 * After that the kubelet sends SIGTERM as usual, which cancels the job. The grace period is raised for this, and dockerd
 * is kept running until the runner has stopped. This also works in pods without Docker.
 *
 * The kubelet runs the hook before it sends SIGTERM, and the time counts towards the grace period (Kubernetes
 * documentation, Container Lifecycle Hooks). If the container exits by itself in that time, its exit code is the runner's.
 */
export const finishJob: Mutation = {
  name: "finish-job",
  permissions: ["lengthen-grace-period"],
  configure(profile) {
    const { enabled, gracePeriod, reserve } = profile.runner.finishJob;
    if (!enabled) return "disabled";
    if (gracePeriod === undefined) return "not-configured";

    return (pod) => {
      const runner = findContainer(pod, profile.runner.container);
      if (!runner) return doesNotApply("no-runner-container");
      if (hasOtherPreStop(runner, name)) return doesNotApply("runner-pre-stop");
      const present = pod.spec.terminationGracePeriodSeconds ?? 30;
      const seconds = Math.max(present, gracePeriod / 1000);
      if (present < seconds) pod.spec.terminationGracePeriodSeconds = seconds;
      addPreStop(runner, name, script, `seconds=${seconds - reserve / 1000}`);
      const stopOrder = stopAfterRunner(pod, runner, profile, { holdDocker, awaitRunner });
      if (stopOrder === "no-command") return doesNotApply(stopOrder);
      return stopOrder === "stops-after-runner" ? applies() : applies(stopOrder);
    };
  },
};
