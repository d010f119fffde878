import { findDinds } from "../docker/dind.ts";
import { proxyForDockerd, setProxy } from "../docker/proxy.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { runnerFolders } from "../pod/home.ts";
import { preventsCopy, isInReadOnlyRoot } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { defineWrapper, wrapCommand } from "../pod/wrap.ts";
import { mirrorHosts } from "../registries/endpoint.ts";
import type { Note, MutationReason } from "../report/reasons.ts";
import script from "../scripts/docker-proxies.sh";

const wrapper = defineWrapper("arc-primer-docker-proxies", script);

/**
 * Passes ARC's proxy settings to dockerd, for pulls, and to builds. ARC sets the proxy variables only in the container
 * `runner` (actions-runner-controller, controllers/actions.github.com/resourcebuilder.go). Mirrors bypass the proxy.
 *
 * Builds and the containers of a job get the proxy from `proxies` in Docker's client config. A wrapper writes it in the
 * runner container (src/scripts/docker-proxies.sh), because the values of a Secret are known only there.
 */
export const dockerProxy: Mutation = {
  name: "docker-proxy",
  configure(profile) {
    const { enabled, builds } = profile.docker.proxy;
    if (!enabled) return "not-configured";
    const noProxyHosts = mirrorHosts(profile.registries);
    const args = noProxyHosts.filter((host) => !host.includes("$")).map((host) => `no-proxy=${host}`);

    return (pod) => {
      const runner = findContainer(pod, profile.runner.container);
      if (!runner) return doesNotApply("no-runner-container");
      const dinds = findDinds(pod, profile);
      if (dinds.length === 0) return doesNotApply("no-dind");
      const variables = proxyForDockerd(runner, noProxyHosts);
      if (variables.length === 0) return doesNotApply("no-proxy");

      const notes = new Set<Note | MutationReason>();
      for (const { container } of dinds) if (setProxy(container, variables)) notes.add("env-kept");
      if (!builds) return applies(...notes);
      const obstacle =
        writeObstacle(pod, runner, profile.runner) ??
        (wrapCommand(runner, wrapper, args, profile.runner.command) ? undefined : "no-command");
      return applies(...notes, ...(obstacle ? [obstacle] : []));
    };
  },
};

/** The reason why the wrapper cannot write Docker's client config, if there is one. */
function writeObstacle(
  pod: Pod,
  runner: Container,
  settings: Parameters<typeof runnerFolders>[2],
): MutationReason | undefined {
  const folder = runnerFolders(pod, runner, settings).docker;
  if (folder === undefined) return undefined; // resolved by the wrapper at run time
  if (preventsCopy(pod, runner, folder)) return "docker-config-mounted";
  return isInReadOnlyRoot(runner, folder) ? "read-only-root" : undefined;
}
