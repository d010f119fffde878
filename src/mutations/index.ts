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
 * All mutations, in the order in which they are applied. DinD is added first, so that all the others treat it as if the
 * pod had come with it; beyond that no mutation may rely on another. A wrapper put on later runs earlier in the pod, so
 * packages are in place before the other scripts, which may need them. `registry-hosts` looks at the version of Docker,
 * so it comes after the one that can replace it, and so does `docker-data`, for a `--data-root`; `externals-volume` adds a
 * check to the wait, so it comes after that. `image-mirror` is the last, so that it finds all that was added.
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
