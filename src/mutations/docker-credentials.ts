import { findContainer, jobsRunElsewhere } from "../pod/containers.ts";
import { isOccupied } from "../pod/files.ts";
import { runnerFolders } from "../pod/home.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import script from "../scripts/docker-credentials.sh";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";

const name = "arc-primer-docker-credentials";
const wrapper = defineWrapper(name, script);
const directory = "/arc-primer/docker-credentials";

/**
 * Registry logins before the first step: mounts a Secret of type kubernetes.io/dockerconfigjson into the runner
 * container alone, and a wrapper puts what it holds into a Docker config that jobs may write to
 * (src/scripts/docker-credentials.sh). dockerd needs none of it: the client sends the logins along.
 *
 * The Secret is optional, for without that a missing one would keep the pod in CreateContainerConfigError.
 */
export const dockerCredentials: Mutation = {
  name: "docker-credentials",
  unwanted({ docker: { credentials } }) {
    if (!credentials.enabled) return "disabled";
    return credentials.secret === undefined ? "not-configured" : undefined;
  },
  mutate(pod, { runner, docker }) {
    const secret = docker.credentials.secret!;
    const container = findContainer(pod, runner.container);
    if (!container) return doesNotApply("no-runner-container");
    if (jobsRunElsewhere(container)) return doesNotApply("kubernetes-mode");
    const folder = runnerFolders(pod, container, runner.home).docker;
    if (folder !== undefined && isOccupied(pod, container, folder)) return doesNotApply("docker-config-mounted");

    if (!pod.spec.volumes?.some((volume) => volume.name === name)) {
      const items = [{ key: ".dockerconfigjson", path: "config.json" }];
      const volume = { name, secret: { secretName: secret, optional: true, defaultMode: 0o444, items } };
      (pod.spec.volumes ??= []).push(volume);
    }
    if (!container.volumeMounts?.some((mount) => mount.name === name)) {
      (container.volumeMounts ??= []).push({ name, mountPath: directory, readOnly: true });
    }
    const told = [`file=${directory}/config.json`, `secret=${secret}`];
    return wrapCommand(container, wrapper, told, runner.command) ? applies() : doesNotApply("no-command");
  },
};
