import { findContainer, findDind } from "../pod/containers.ts";
import { isOccupied, mountFiles } from "../pod/files.ts";
import { runnerFolders } from "../pod/home.ts";
import { daggerFiles } from "../registries/files.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { mountedAt, placeInRunner } from "../pod/place-files.ts";

const name = "dagger";

/**
 * Gives mirrors and private certificates to the Dagger engine that a job starts. Dagger's CLI looks for its engine.json
 * and ca-certificates in the runner container, and has Docker bind-mount *the same paths*, which are then dockerd's own,
 * in the DinD container (dagger/dagger, engine/client/drivers/container.go). So they lie at the same paths in both,
 * or in neither: with a file in the runner alone, Docker would mount an empty folder.
 */
export const daggerMirrors: Mutation = {
  name: "dagger-mirrors",
  unwanted(profile) {
    if (!profile.dagger.enabled) return "disabled";
    const { files, leftOut } = daggerFiles(profile);
    if (files.length > 0) return undefined;
    return leftOut ? "no-usable-mirror" : "not-configured";
  },
  mutate(pod, profile) {
    const { docker, runner } = profile;
    const { files, leftOut } = daggerFiles(profile);
    const container = findContainer(pod, runner.container);
    if (!container) return doesNotApply("no-runner-container");
    const dind = findDind(pod, { dind: docker.container, runner: runner.container })?.container;
    if (!dind) return doesNotApply("no-dind");
    const { home, config } = runnerFolders(pod, container, runner.home);
    if (config === undefined) return doesNotApply("path-unknown");
    const folder = `${config}/dagger`;
    if (isOccupied(pod, container, folder) || isOccupied(pod, dind, folder))
      return doesNotApply("dagger-files-mounted");

    const steps = [
      ...(home !== undefined && config.startsWith(`${home}/`) ? [["home", home]] : []),
      ...files.map(({ path }) => ["copy", `${mountedAt(name)}/${path}`, `${folder}/${path}`]),
    ];
    const obstacle = placeInRunner(pod, container, { name, files, steps, command: runner.command });
    if (obstacle) return doesNotApply(obstacle);
    mountFiles(dind, name, folder);
    return applies(...(leftOut ? (["mirrors-left-out"] as const) : []));
  },
};
