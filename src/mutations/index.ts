import { buildkitMirrors } from "./buildkit-mirrors.ts";
import { daggerMirrors } from "./dagger-mirrors.ts";
import { dockerdSettings } from "./dockerd-settings.ts";
import type { Mutation } from "./mutation.ts";
import { prerequisites } from "./prerequisites.ts";
import { privateCA } from "./private-ca.ts";
import { registryHosts } from "./registry-hosts.ts";
import { registryMirror } from "./registry-mirror.ts";
import { waitForDocker } from "./wait-for-docker.ts";

/**
 * All mutations, in the order in which they are applied; no mutation may rely on another. A wrapper put on later runs
 * earlier in the pod, so packages are in place before the other scripts, which may need them. `registry-hosts` looks at
 * the version of Docker, so it comes after the one that can replace it.
 */
export const mutations: readonly Mutation[] = [
  waitForDocker,
  registryMirror,
  dockerdSettings,
  registryHosts,
  buildkitMirrors,
  daggerMirrors,
  privateCA,
  prerequisites,
];
