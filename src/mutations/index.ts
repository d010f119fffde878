import { buildkitMirrors } from "./buildkit-mirrors.ts";
import { daggerMirrors } from "./dagger-mirrors.ts";
import { dockerCredentials } from "./docker-credentials.ts";
import { dockerData } from "./docker-data.ts";
import { dockerProxy } from "./docker-proxy.ts";
import { dockerdSettings } from "./dockerd-settings.ts";
import { externalsVolume } from "./externals-volume.ts";
import { finishJob } from "./finish-job.ts";
import { gracefulEnd } from "./graceful-end.ts";
import { imageMirror } from "./image-mirror.ts";
import { injectDocker } from "./inject-docker.ts";
import type { Mutation } from "../engine/mutation.ts";
import { prerequisites } from "./prerequisites.ts";
import { privateCA } from "./private-ca.ts";
import { registryHosts } from "./registry-hosts.ts";
import { registryMirror } from "./registry-mirror.ts";
import { waitForDocker } from "./wait-for-docker.ts";

/**
 * All mutations, in the order in which they are applied. The order matters in these cases:
 * - `inject-docker` is first, so that the others treat its containers as part of the pod.
 * - A wrapper that is added later runs earlier in the pod. So packages are installed before the other scripts, which may
 *   need them.
 * - `registry-hosts` checks the version of Docker, so it comes after `dockerd-settings`, which can change the image.
 * - `docker-data` comes after `dockerd-settings`, which can set `--data-root`.
 * - `externals-volume` adds a check to the wait, so it comes after `wait-for-docker`.
 * - `image-mirror` is last, so that it sees all added containers.
 * Otherwise no mutation may depend on another.
 */
export const mutations: readonly Mutation[] = [
  injectDocker,
  gracefulEnd,
  finishJob,
  waitForDocker,
  externalsVolume,
  dockerProxy,
  dockerCredentials,
  registryMirror,
  dockerdSettings,
  dockerData,
  registryHosts,
  buildkitMirrors,
  daggerMirrors,
  privateCA,
  prerequisites,
  imageMirror,
];
