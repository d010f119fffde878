import type { Profile } from "../config/schema.ts";
import { findDinds, isDindImage } from "../docker/dind.ts";
import { addFlags, dockerdFlags, flagValues } from "../docker/dockerd.ts";
import { hostIp } from "../docker/proxy.ts";
import type { Mutation, Verdict } from "../engine/mutation.ts";
import { applies, doesNotApply, combineVerdicts } from "../engine/mutation.ts";
import { envEntry } from "../pod/env.ts";
import { trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { endpointOf, hostIpReference } from "../registries/endpoint.ts";

/**
 * Configures mirrors of Docker Hub (`--registry-mirror`, which applies to no other registry: moby,
 * registry/service_v2.go) and insecure registries (`--insecure-registry`) in the dockerd of the DinD container.
 */
export const registryMirror: Mutation = {
  name: "registry-mirror",
  configure(profile) {
    if (!profile.docker.mirror.enabled) return "disabled";
    const wanted = wantedFlags(profile);
    if (wanted.mirrors.length + wanted.insecure.length === 0)
      return wanted.leftOut ? "mirror-not-a-flag" : "not-configured";

    return (pod) => {
      const [first, ...more] = findDinds(pod, profile).map(({ container }) => addMirrorFlags(pod, container, wanted));
      return first ? combineVerdicts([first, ...more]) : doesNotApply("no-dind");
    };
  },
};

function addMirrorFlags(pod: Pod, dind: Container, { mirrors, insecure, leftOut }: WantedFlags): Verdict {
  const { flags, obstacle } = dockerdFlags(dind, pod);
  if (obstacle) return doesNotApply(obstacle);
  const missing = [
    ...missingFlags(flags, "--registry-mirror", mirrors),
    ...missingFlags(flags, "--insecure-registry", insecure),
  ];
  const nodeFlags = missing.filter((flag) => flag.includes(hostIpReference));
  const hasHostIp = nodeFlags.length === 0 || ensureHostIp(dind);
  addFlags(dind, hasHostIp ? missing : missing.filter((flag) => !nodeFlags.includes(flag)));
  return applies(
    ...(isDindImage(dind.image) ? [] : (["custom-image"] as const)),
    ...(leftOut ? (["mirror-not-a-flag"] as const) : []),
    ...(hasHostIp ? [] : (["host-ip-taken"] as const)),
  );
}

interface WantedFlags {
  readonly mirrors: readonly string[];
  readonly insecure: readonly string[];
  /** Whether there is a mirror that a flag cannot express. */
  readonly leftOut: boolean;
}

/** The values of the two flags. */
function wantedFlags({ docker, registries }: Profile): WantedFlags {
  const all = (registries["docker.io"]?.mirrors ?? []).map((mirror) => ({ ...mirror, ...endpointOf(mirror.url) }));
  const mirrors = all.filter(({ pathSuffix }) => pathSuffix === "");
  return {
    mirrors: mirrors.map(({ scheme, host, pathPrefix }) => `${scheme}://${host}${pathPrefix}`),
    insecure: [
      ...docker.mirror.insecureRegistries,
      ...Object.keys(registries).filter((host) => registries[host]?.insecure),
      ...mirrors.filter((mirror) => mirror.insecure).map(({ host }) => host),
    ],
    leftOut: mirrors.length < all.length,
  };
}

function missingFlags(flags: readonly string[], name: string, wanted: readonly string[]): string[] {
  const present = new Set(flagValues(flags, name).map(trimTrailingSlashes));
  return [...new Set(wanted)]
    .filter((value) => !present.has(trimTrailingSlashes(value)))
    .map((value) => `${name}=${value}`);
}

/**
 * Adds the variable HOST_IP, unless the container has it, so that the kubelet expands `$(HOST_IP)` to the node's IP address.
 *
 * @returns false if the container has a HOST_IP with another meaning
 */
function ensureHostIp(container: Container): boolean {
  const present = envEntry(container, "HOST_IP");
  if (present) return present.valueFrom?.fieldRef?.fieldPath === "status.hostIP";
  (container.env ??= []).push(hostIp);
  return true;
}
