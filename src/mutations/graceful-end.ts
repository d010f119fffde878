import { findDinds } from "../docker/dind.ts";
import { findContainer } from "../pod/containers.ts";
import { ensureMount, ensureVolume } from "../pod/mounts.ts";
import type { Container } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import awaitRunner from "../scripts/await-runner.sh";
import holdDocker from "../scripts/hold-docker.sh";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";

const name = "arc-primer-hold";
const wrapper = defineWrapper(name, holdDocker);
const directory = "/arc-primer/hold";
const file = `${directory}/runner`;

/**
 * dockerd outlives the runner's clean-up when the pod is deleted: the pod gets a longer grace period, and an ordinary
 * DinD container, which is told to stop together with the runner, a preStop hook that waits for the runner's end.
 *
 * A native sidecar needs no hook: the kubelet tells it to stop when the ordinary containers have ended (Kubernetes
 * 1.29; pkg/kubelet/kuberuntime, killContainer and terminationOrdering).
 */
export const gracefulEnd: Mutation = {
  name: "graceful-end",
  may: ["lengthen-grace-period"],
  configure(profile) {
    const { enabled, gracePeriod } = profile.docker.gracefulEnd;
    if (!enabled) return "disabled";
    if (gracePeriod === undefined) return "not-configured";
    const seconds = gracePeriod / 1000;

    return (pod) => {
      const container = findContainer(pod, profile.runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const dinds = findDinds(pod, profile);
      if (dinds.length === 0) return doesNotApply("no-dind");
      if ((pod.spec.terminationGracePeriodSeconds ?? 30) < seconds) pod.spec.terminationGracePeriodSeconds = seconds;
      const beside = dinds.filter(({ layout }) => layout === "container").map((dind) => dind.container);
      const held = beside.filter(({ lifecycle }) => !lifecycle?.preStop || isOurs(lifecycle.preStop));
      const notes = held.length < beside.length ? (["pre-stop-kept"] as const) : [];
      if (held.length === 0) return applies(...notes);

      if (!wrapCommand(container, wrapper, [`file=${file}`], profile.runner.command)) return doesNotApply("no-command");
      // A volume for the pipe alone: templates differ in what else the two containers share.
      ensureVolume(pod, { name, emptyDir: {} });
      for (const one of [container, ...held]) ensureMount(one, { name, mountPath: directory });
      for (const one of held) if (!one.lifecycle?.preStop) addHook(one);
      return applies(...notes);
    };
  },
};

function isOurs({ exec }: NonNullable<NonNullable<Container["lifecycle"]>["preStop"]>): boolean {
  return exec?.command?.includes(name) ?? false;
}

/** The kubelet puts no variables into a hook's command, so nothing is escaped there. */
function addHook(dind: Container): void {
  dind.lifecycle = { ...dind.lifecycle, preStop: { exec: { command: ["/bin/sh", "-c", awaitRunner, name, file] } } };
}
