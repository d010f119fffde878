import { findContainer } from "../pod/containers.ts";
import { isOccupied } from "../pod/files.ts";
import { isTold } from "../pod/wrap.ts";
import { privateCASource } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";
import { mountedAt, placeInRunner, wrapper } from "../pod/place-files.ts";

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
  unwanted: (profile) => (privateCASource(profile) && profile.privateCA?.runner ? undefined : "not-configured"),
  mutate(pod, profile) {
    const source = privateCASource(profile)!;
    const container = findContainer(pod, profile.runner.container);
    if (!container) return doesNotApply("no-runner-container");
    const file = `${mountedAt(name)}/${caFile}`;
    // What an earlier pass has told the wrapper stays, whatever another webhook has mounted since.
    const inNodeAlone =
      systemFolders.some((folder) => isOccupied(pod, container, folder)) &&
      !isTold(container, wrapper.name, ["trust", file]);
    const obstacle = placeInRunner(pod, container, {
      name,
      files: [{ path: caFile, source }],
      steps: [[inNodeAlone ? "trust-in-node" : "trust", file]],
      command: profile.runner.command,
    });
    if (obstacle) return doesNotApply(obstacle);
    return applies(...(inNodeAlone ? (["system-store-mounted"] as const) : []));
  },
};
