import applyPackages from "./apply-packages.sh";
import awaitRunner from "./await-runner.sh";
import buildBundle from "./build-bundle.sh";
import dockerCredentials from "./docker-credentials.sh";
import dockerProxies from "./docker-proxies.sh";
import finishJob from "./finish-job.sh";
import holdDocker from "./hold-docker.sh";
import installPackages from "./install-packages.sh";
import placeFiles from "./place-files.sh";
import prepareRootless from "./prepare-rootless.sh";
import waitForDocker from "./wait-for-docker.sh";

/** All scripts that run in pods, keyed by file name. */
export const scripts = {
  "apply-packages.sh": applyPackages,
  "await-runner.sh": awaitRunner,
  "build-bundle.sh": buildBundle,
  "docker-credentials.sh": dockerCredentials,
  "docker-proxies.sh": dockerProxies,
  "finish-job.sh": finishJob,
  "hold-docker.sh": holdDocker,
  "install-packages.sh": installPackages,
  "place-files.sh": placeFiles,
  "prepare-rootless.sh": prepareRootless,
  "wait-for-docker.sh": waitForDocker,
} as const;

/** The scripts that are preStop hooks. They are not escaped, because the kubelet does not expand variables in a hook. */
export const hooks: readonly string[] = ["await-runner.sh", "finish-job.sh"];
