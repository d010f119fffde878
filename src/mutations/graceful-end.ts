import { findDinds } from "../docker/dind.ts";
import { stopAfterRunner } from "../docker/stop-after-runner.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import awaitRunner from "../scripts/await-runner.sh";
import holdDocker from "../scripts/hold-docker.sh";

/**
 * Keeps dockerd running during the runner's cleanup when the pod is deleted. The pod gets a longer grace period, and a
 * regular DinD container waits until the runner has stopped.
 */
export const gracefulEnd: Mutation = {
  name: "graceful-end",
  permissions: ["lengthen-grace-period"],
  configure(profile) {
    const { enabled, gracePeriod } = profile.docker.gracefulEnd;
    if (!enabled) return "disabled";
    if (gracePeriod === undefined) return "not-configured";
    const seconds = gracePeriod / 1000;

    return (pod) => {
      const runner = findContainer(pod, profile.runner.container);
      if (!runner) return doesNotApply("no-runner-container");
      if (findDinds(pod, profile).length === 0) return doesNotApply("no-dind");
      if ((pod.spec.terminationGracePeriodSeconds ?? 30) < seconds) pod.spec.terminationGracePeriodSeconds = seconds;
      const stopOrder = stopAfterRunner(pod, runner, profile, { holdDocker, awaitRunner });
      if (stopOrder === "no-command") return doesNotApply(stopOrder);
      return stopOrder === "stops-after-runner" ? applies() : applies(stopOrder);
    };
  },
};
