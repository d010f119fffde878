import { dockerdSettings } from "./dockerd-settings.ts";
import type { Mutation } from "./mutation.ts";
import { prerequisites } from "./prerequisites.ts";
import { registryMirror } from "./registry-mirror.ts";
import { waitForDocker } from "./wait-for-docker.ts";

/**
 * All mutations, in the order in which they are applied. A wrapper put on later runs earlier in the pod,
 * so packages are in place before the wait for Docker begins, which may need them; no mutation may rely on another.
 */
export const mutations: readonly Mutation[] = [waitForDocker, registryMirror, dockerdSettings, prerequisites];
