import { parseImage } from "../docker/dind.ts";
import { dockerSource } from "../docker/source.ts";
import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer, isSidecar, usesKubernetesHooks } from "../pod/containers.ts";
import { setsEnv } from "../pod/env.ts";
import { runnerFolders } from "../pod/home.ts";
import { preventsCopy, isInReadOnlyRoot } from "../pod/mounts.ts";
import { filesFolder, placeInRunner } from "../pod/place-files.ts";
import type { Container, Pod } from "../pod/types.ts";
import { buildkitRegistries } from "../registries/buildkit.ts";
import { buildkitFiles, buildkitdFile } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";

const name = "buildkit";

/**
 * Configures mirrors and private certificates for the builders that jobs create with buildx. BuildKit in a separate
 * container does not use dockerd's configuration. When buildx creates a builder without an explicit configuration, it
 * reads buildkitd.default.toml in the *runner* container (docker/buildx, util/confutil/config.go).
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
      if (preventsCopy(pod, container, buildx)) return doesNotApply("buildkit-file-mounted");
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

/** Whether the pod runs its own BuildKit. buildx rejects the file for it (`driver: remote`, driver/remote/factory.go). */
function hasBuildkit({ spec }: Pod, runner: Container): boolean {
  if (setsEnv(runner, "BUILDKIT_HOST")) return true;
  return [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].some(
    ({ name: containerName, image, command, args }) =>
      containerName !== runner.name &&
      (/(^|\/)buildkit$/.test(parseImage(image ?? "").repository) ||
        [...(command ?? []), ...(args ?? [])].some((arg) => /(^|[\s/])buildkitd($|\s)/.test(arg))),
  );
}
