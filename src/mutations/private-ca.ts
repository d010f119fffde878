import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { isInReadOnlyRoot, preventsMount } from "../pod/mounts.ts";
import { filesFolder, filesWrapper, placeInRunner } from "../pod/place-files.ts";
import type { Container, Mount, Pod } from "../pod/types.ts";
import { hasArgs } from "../pod/wrap.ts";
import { privateCASource } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";
import type { Note } from "../report/reasons.ts";

const name = "ca";

/** The directories that update-ca-certificates writes to and reads additional certificates from (Debian, Alpine). */
const systemFolders = ["/etc/ssl/certs", "/usr/local/share/ca-certificates"];
const bundle = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Makes the runner container itself trust the profile's private certificates, if the profile enables it. The runner and
 * JavaScript actions use NODE_EXTRA_CA_CERTS, everything else uses the system's trust store. If the trust store is on a
 * volume, it may be shared with other pods or the node. So it is not changed, and only NODE_EXTRA_CA_CERTS is set. A mount
 * of a single file in the trust store (such as by ARC's githubServerTLS) is no obstacle, because other files can be added.
 */
export const privateCA: Mutation = {
  name: "private-ca",
  configure(profile) {
    const { runner } = profile;
    const source = privateCASource(profile);
    if (!source || !profile.privateCA?.runner) return "not-configured";
    const file = `${filesFolder(name)}/${caFile}`;

    return (pod) => {
      const container = findContainer(pod, runner.container);
      if (!container) return doesNotApply("no-runner-container");
      // Keep the wrapper's arguments from an earlier pass, whatever another webhook has mounted since.
      const obstacles = hasArgs(container, filesWrapper.name, ["trust", file]) ? [] : storeObstacles(pod, container);
      const obstacle = placeInRunner(pod, container, {
        name,
        files: [{ path: caFile, source }],
        steps: [[obstacles.length > 0 ? "trust-in-node" : "trust", file]],
        command: runner.command,
      });
      if (obstacle) return doesNotApply(obstacle);
      return applies(...obstacles.slice(0, 1));
    };
  },
};

/** The reasons why the certificates cannot be added to the system's trust store. */
function storeObstacles(pod: Pod, container: Container): Note[] {
  const others = container.volumeMounts?.filter((mount) => !isSingleFile(mount)) ?? [];
  const isMounted = systemFolders.some((folder) => preventsMount(pod, { ...container, volumeMounts: others }, folder));
  const isReadOnly = systemFolders.some((folder) => isInReadOnlyRoot(container, folder));
  return [
    ...(isMounted ? (["system-store-mounted"] as const) : []),
    ...(isReadOnly ? (["system-store-read-only"] as const) : []),
  ];
}

/** Whether this mounts a single file in the trust store, other than the bundle that update-ca-certificates must replace. */
function isSingleFile({ mountPath, subPath }: Mount): boolean {
  return Boolean(subPath) && mountPath !== bundle && systemFolders.some((folder) => mountPath.startsWith(`${folder}/`));
}
