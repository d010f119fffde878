import { blocksDockerd } from "../docker/certs-d.ts";
import { findDinds } from "../docker/dind.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { mountFiles } from "../pod/files.ts";
import { runnerFolders } from "../pod/home.ts";
import { preventsCopy, isInReadOnlyRoot, preventsMount } from "../pod/mounts.ts";
import { filesFolder, placeInRunner } from "../pod/place-files.ts";
import { daggerFiles } from "../registries/files.ts";

const name = "dagger";

/**
 * Configures mirrors and private certificates for the Dagger engine that a job starts. Dagger's CLI looks for engine.json
 * and ca-certificates in the runner container, and asks Docker to bind-mount *the same paths*. dockerd resolves these paths
 * in the DinD container (dagger/dagger, engine/client/drivers/container.go). So the files must be at the same paths in both
 * containers or in neither: with a file in the runner container only, Docker would mount an empty directory.
 */
export const daggerMirrors: Mutation = {
  name: "dagger-mirrors",
  configure(profile) {
    if (!profile.dagger.enabled) return "disabled";
    const { files, leftOut } = daggerFiles(profile);
    if (files.length === 0) return leftOut ? "no-usable-mirror" : "not-configured";

    return (pod) => {
      const container = findContainer(pod, profile.runner.container);
      if (!container) return doesNotApply("no-runner-container");
      const [dind, ...otherDinds] = findDinds(pod, profile).map((one) => one.container);
      if (!dind) return doesNotApply("no-dind");
      const { home, config } = runnerFolders(pod, container, profile.runner);
      if (config === undefined) return doesNotApply("path-unknown");
      const folder = `${config}/dagger`;
      if (preventsCopy(pod, container, folder) || preventsMount(pod, dind, folder))
        return doesNotApply("dagger-files-mounted");
      if (isInReadOnlyRoot(container, folder)) return doesNotApply("read-only-root");
      if (blocksDockerd(dind, folder)) return doesNotApply("rootless-too-old");

      const steps = [
        ...(home !== undefined && config.startsWith(`${home}/`) ? [["home", home]] : []),
        ...files.map(({ path }) => ["copy", `${filesFolder(name)}/${path}`, `${folder}/${path}`]),
      ];
      const obstacle = placeInRunner(pod, container, { name, files, steps, command: profile.runner.command });
      if (obstacle) return doesNotApply(obstacle);
      // If there are several DinD containers, the job chooses in which one it starts the engine.
      const alsoMounted = otherDinds.filter((one) => !preventsMount(pod, one, folder) && !blocksDockerd(one, folder));
      for (const one of [dind, ...alsoMounted]) mountFiles(one, name, folder);
      return applies(...(leftOut ? (["mirrors-left-out"] as const) : []));
    };
  },
};
