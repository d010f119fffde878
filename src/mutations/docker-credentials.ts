import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, jobsRunElsewhere } from "../pod/containers.ts";
import { runnerFolders } from "../pod/home.ts";
import { ensureMount, ensureVolume, preventsCopy, isInReadOnlyRoot } from "../pod/mounts.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import script from "../scripts/docker-credentials.sh";

const name = "arc-primer-docker-credentials";
const wrapper = defineWrapper(name, script);
const directory = "/arc-primer/docker-credentials";

/**
 * Provides registry logins before the first step. A Secret of type kubernetes.io/dockerconfigjson is mounted, only into the
 * runner container. A wrapper copies the Secret's contents into a Docker config that jobs can write to
 * (src/scripts/docker-credentials.sh). dockerd does not need the logins, because the client sends them.
 *
 * The Secret is marked as optional. Otherwise a missing Secret would keep the pod in CreateContainerConfigError.
 */
export const dockerCredentials: Mutation = {
  name: "docker-credentials",
  configure({ runner, docker: { credentials } }) {
    const { enabled, secret } = credentials;
    if (!enabled) return "disabled";
    if (secret === undefined) return "not-configured";
    const items = [{ key: ".dockerconfigjson", path: "config.json" }];
    const volume = { name, secret: { secretName: secret, optional: true, defaultMode: 0o444, items } };
    const settings = [`file=${directory}/config.json`, `secret=${secret}`];

    return (pod) => {
      const container = findContainer(pod, runner.container);
      if (!container) return doesNotApply("no-runner-container");
      if (jobsRunElsewhere(container)) return doesNotApply("kubernetes-mode");
      const folder = runnerFolders(pod, container, runner).docker;
      if (folder !== undefined && preventsCopy(pod, container, folder)) return doesNotApply("docker-config-mounted");
      if (folder !== undefined && isInReadOnlyRoot(container, folder)) return doesNotApply("read-only-root");

      ensureVolume(pod, volume);
      ensureMount(container, { name, mountPath: directory, readOnly: true });
      return wrapCommand(container, wrapper, settings, runner.command) ? applies() : doesNotApply("no-command");
    };
  },
};
