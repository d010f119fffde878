import { parseImage } from "../docker/dind.ts";
import { dockerSource } from "../docker/source.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, isSidecar, usesKubernetesHooks } from "../pod/containers.ts";
import { setsEnv } from "../pod/env.ts";
import { runnerFolders } from "../pod/home.ts";
import { isForeign, isInReadOnlyRoot } from "../pod/mounts.ts";
import { filesFolder, placeInRunner } from "../pod/place-files.ts";
import type { Container, Pod } from "../pod/types.ts";
import { buildkitRegistries } from "../registries/buildkit.ts";
import { buildkitFiles, buildkitdFile } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";

const name = "buildkit";

/**
 * Gives mirrors and private certificates to the builders that jobs create with buildx: BuildKit in a container of its own
 * does not ask dockerd. buildx reads buildkitd.default.toml in the *runner* container when it creates a builder without a
 * configuration of its own (docker/buildx, util/confutil/config.go).
 */
export const buildkitMirrors: Mutation = {
  name: "buildkit-mirrors",
  configure(profile) {
    if (!profile.buildkit.enabled) return "disabled";
    const { entries, leftOut } = buildkitRegistries(profile.registries);
    if (entries.size === 0) return leftOut ? "no-usable-mirror" : "not-configured";

    return (pod) => {
      const container = findContainer(pod, profile.runner.container);
      if (!container) return doesNotApply("no-runner-container");
      if (dockerSource(pod, container, profile) === "none")
        return doesNotApply(usesKubernetesHooks(container) ? "kubernetes-mode" : "no-docker");
      if (hasBuildkit(pod, container)) return doesNotApply("buildkit-in-use");
      const { home, buildx } = runnerFolders(pod, container, profile.runner);
      if (buildx === undefined) return doesNotApply("path-unknown");
      if (isForeign(pod, container, buildx)) return doesNotApply("buildkit-file-mounted");
      if (isInReadOnlyRoot(container, buildx)) return doesNotApply("read-only-root");

      const ca = `${buildx}/arc-primer-ca.pem`;
      const files = buildkitFiles(profile, entries, ca);
      const from = filesFolder(name);
      const steps = [
        ...(home !== undefined && buildx.startsWith(`${home}/`) ? [["home", home]] : []),
        ...(files.some(({ path }) => path === caFile) ? [["copy-ca", `${from}/${caFile}`, ca]] : []),
        ["copy", `${from}/${buildkitdFile}`, `${buildx}/${buildkitdFile}`],
      ];
      const obstacle = placeInRunner(pod, container, { name, files, steps, command: profile.runner.command });
      if (obstacle) return doesNotApply(obstacle);
      return applies(...(leftOut ? (["mirrors-left-out"] as const) : []));
    };
  },
};

/** buildx refuses the file with `driver: remote` (docker/buildx, driver/remote/factory.go), the driver for such a builder. */
function hasBuildkit({ spec }: Pod, runner: Container): boolean {
  if (setsEnv(runner, "BUILDKIT_HOST")) return true;
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].some(
    ({ name: own, image, command, args }) =>
      own !== runner.name &&
      (/(^|\/)buildkit$/.test(parseImage(image ?? "").repository) ||
        [...(command ?? []), ...(args ?? [])].some((word) => /(^|[\s/])buildkitd($|\s)/.test(word))),
  );
}
