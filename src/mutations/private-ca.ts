import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { isInReadOnlyRoot, isOccupied } from "../pod/mounts.ts";
import { filesFolder, filesWrapper, placeInRunner } from "../pod/place-files.ts";
import type { Container, Mount, Pod } from "../pod/types.ts";
import { hasArgs } from "../pod/wrap.ts";
import { privateCASource } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";
import type { Note } from "../report/reasons.ts";

const name = "ca";

/** What update-ca-certificates writes to, and where it looks for more (Debian, Alpine). */
const systemFolders = ["/etc/ssl/certs", "/usr/local/share/ca-certificates"];
const bundle = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Lets the runner container itself trust the profile's private certificates, where the profile asks for it: the runner
 * and the actions written in JavaScript by NODE_EXTRA_CA_CERTS, the rest by the system's store. Where that is a volume,
 * it is somebody's, who may share it with other pods or with the node: then NODE_EXTRA_CA_CERTS has to do. A single file in
 * there is no volume for all of it: ARC's githubServerTLS mounts one, and another one beside it does no harm.
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
      // What an earlier pass has told the wrapper stays, whatever another webhook has mounted since.
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

/** What keeps the certificates out of the system's store. */
function storeObstacles(pod: Pod, container: Container): Note[] {
  const others = container.volumeMounts?.filter((mount) => !isSingleFile(mount)) ?? [];
  const isMounted = systemFolders.some((folder) => isOccupied(pod, { ...container, volumeMounts: others }, folder));
  const isReadOnly = systemFolders.some((folder) => isInReadOnlyRoot(container, folder));
  return [
    ...(isMounted ? (["system-store-mounted"] as const) : []),
    ...(isReadOnly ? (["system-store-read-only"] as const) : []),
  ];
}

/** One file in the store's folders, other than the bundle, which update-ca-certificates has to replace. */
function isSingleFile({ mountPath, subPath }: Mount): boolean {
  return Boolean(subPath) && mountPath !== bundle && systemFolders.some((folder) => mountPath.startsWith(`${folder}/`));
}
