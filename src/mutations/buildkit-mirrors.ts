import { findContainer, findDind, setsEnv } from "../pod/containers.ts";
import { isOccupied } from "../pod/files.ts";
import { runnerFolders } from "../pod/home.ts";
import { buildkitRegistries } from "../registries/buildkit.ts";
import { buildkitFiles, buildkitdFile } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { mountedAt, placeInRunner } from "../pod/place-files.ts";

const name = "buildkit";

/**
 * Gives mirrors and private certificates to the builders that jobs create with buildx: BuildKit in a container of its own
 * does not ask dockerd. buildx reads buildkitd.default.toml in the *runner* container when it creates a builder without a
 * configuration of its own (docker/buildx, util/confutil/config.go).
 */
export const buildkitMirrors: Mutation = {
  name: "buildkit-mirrors",
  unwanted({ buildkit, registries }) {
    if (!buildkit.enabled) return "disabled";
    const { entries, leftOut } = buildkitRegistries(registries);
    if (entries.size > 0) return undefined;
    return leftOut ? "no-usable-mirror" : "not-configured";
  },
  mutate(pod, profile) {
    const { docker, runner } = profile;
    const container = findContainer(pod, runner.container);
    if (!container) return doesNotApply("no-runner-container");
    const { home, buildx } = runnerFolders(pod, container, runner.home);
    const ca = `${buildx}/arc-primer-ca.pem`;
    const { files, leftOut } = buildkitFiles(profile, ca);
    if (!findDind(pod, { dind: docker.container, runner: runner.container }) && !setsEnv(container, "DOCKER_HOST"))
      return doesNotApply(setsEnv(container, "ACTIONS_RUNNER_CONTAINER_HOOKS") ? "kubernetes-mode" : "no-docker");
    if (buildx === undefined) return doesNotApply("path-unknown");
    if (isOccupied(pod, container, buildx)) return doesNotApply("buildkit-file-mounted");

    const at = mountedAt(name);
    const steps = [
      ...(home !== undefined && buildx.startsWith(`${home}/`) ? [["home", home]] : []),
      ...(files.some(({ path }) => path === caFile) ? [["copy-ca", `${at}/${caFile}`, ca]] : []),
      ["copy", `${at}/${buildkitdFile}`, `${buildx}/${buildkitdFile}`],
    ];
    const obstacle = placeInRunner(pod, container, { name, files, steps, command: runner.command });
    if (obstacle) return doesNotApply(obstacle);
    return applies(...(leftOut ? (["mirrors-left-out"] as const) : []));
  },
};
