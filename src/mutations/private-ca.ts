import type { Mutation } from "../engine/mutation.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import { findContainer } from "../pod/containers.ts";
import { isOccupied } from "../pod/mounts.ts";
import { filesFolder, filesWrapper, placeInRunner } from "../pod/place-files.ts";
import { hasArgs } from "../pod/wrap.ts";
import { privateCASource } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";

const name = "ca";

/** What update-ca-certificates writes to, and where it looks for more (Debian, Alpine). */
const systemFolders = ["/etc/ssl/certs", "/usr/local/share/ca-certificates"];

/**
 * Lets the runner container itself trust the profile's private certificates, where the profile asks for it: the runner
 * and the actions written in JavaScript by NODE_EXTRA_CA_CERTS, the rest by the system's store. Where that is a volume,
 * it is somebody's, who may share it with other pods or with the node: then NODE_EXTRA_CA_CERTS has to do.
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
      const inNodeAlone =
        systemFolders.some((folder) => isOccupied(pod, container, folder)) &&
        !hasArgs(container, filesWrapper.name, ["trust", file]);
      const obstacle = placeInRunner(pod, container, {
        name,
        files: [{ path: caFile, source }],
        steps: [[inNodeAlone ? "trust-in-node" : "trust", file]],
        command: runner.command,
      });
      if (obstacle) return doesNotApply(obstacle);
      return applies(...(inNodeAlone ? (["system-store-mounted"] as const) : []));
    };
  },
};
