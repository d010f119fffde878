import { outliveRunner } from "../docker/outlive.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { addPreStop, hasOtherPreStop } from "../pod/hook.ts";
import awaitRunner from "../scripts/await-runner.sh";
import script from "../scripts/finish-job.sh";
import holdDocker from "../scripts/hold-docker.sh";

const name = "arc-primer-finish-job";

/**
 * A job that has begun can finish when the pod is deleted or evicted: a preStop hook of the runner container returns at
 * once where no job runs, and else waits until the runner has ended by itself, for at most the grace period less a
 * reserve. Then the kubelet sends SIGTERM as ever, which cancels the job. The grace period is raised for that, and dockerd
 * outlives the runner. It holds for pods without Docker as well.
 *
 * The kubelet runs the hook before it sends SIGTERM, within the grace period (Kubernetes documentation, Container
 * Lifecycle Hooks). When the container ends by itself meanwhile, its exit code is that of the runner.
 */
export const finishJob: Mutation = {
  name: "finish-job",
  may: ["lengthen-grace-period"],
  configure(profile) {
    const { enabled, gracePeriod, reserve } = profile.runner.finishJob;
    if (!enabled) return "disabled";
    if (gracePeriod === undefined) return "not-configured";

    return (pod) => {
      const runner = findContainer(pod, profile.runner.container);
      if (!runner) return doesNotApply("no-runner-container");
      if (hasOtherPreStop(runner, name)) return doesNotApply("runner-pre-stop");
      const own = pod.spec.terminationGracePeriodSeconds ?? 30;
      const seconds = Math.max(own, gracePeriod / 1000);
      if (own < seconds) pod.spec.terminationGracePeriodSeconds = seconds;
      addPreStop(runner, name, script, `seconds=${seconds - reserve / 1000}`);
      const outliving = outliveRunner(pod, runner, profile, { holdDocker, awaitRunner });
      if (outliving === "no-command") return doesNotApply(outliving);
      return outliving === "outlives" ? applies() : applies(outliving);
    };
  },
};
