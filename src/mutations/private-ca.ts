import { findContainer } from "../pod/containers.ts";
import { privateCASource } from "../registries/files.ts";
import { caFile } from "../registries/hosts-toml.ts";
import { applies, doesNotApply } from "./mutation.ts";
import type { Mutation } from "./mutation.ts";
import { mountedAt, placeInRunner } from "./place-files.ts";

const name = "ca";

/**
 * Lets the runner container itself trust the profile's private certificates, where the profile asks for it: the runner
 * and the actions written in JavaScript by NODE_EXTRA_CA_CERTS, the rest by the system's store.
 */
export const privateCA: Mutation = {
  name: "private-ca",
  mutate(pod, profile) {
    const source = privateCASource(profile);
    if (!source || !profile.privateCA?.runner) return doesNotApply("not-configured");
    const container = findContainer(pod, profile.runner.container);
    if (!container) return doesNotApply("no-runner-container");
    const obstacle = placeInRunner(pod, container, {
      name,
      files: [{ path: caFile, source }],
      words: ["trust", `${mountedAt(name)}/${caFile}`],
      command: profile.runner.command,
    });
    return obstacle ? doesNotApply(obstacle) : applies();
  },
};
