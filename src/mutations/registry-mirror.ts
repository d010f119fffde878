import { hostIpReference } from "../config/addresses.ts";
import { once } from "../once.ts";
import type { Profile } from "../config/schema.ts";
import { findDind, isDindImage } from "../pod/containers.ts";
import { addFlags, dockerdFlags, flagValues } from "../docker/dockerd.ts";
import type { Container } from "../pod/types.ts";
import { endpointOf } from "../registries/endpoint.ts";
import { applies, doesNotApply } from "../engine/mutation.ts";
import type { Mutation } from "../engine/mutation.ts";

/**
 * Points the DinD container's dockerd at mirrors of Docker Hub (`--registry-mirror`, which serves no other registry:
 * moby, registry/service_v2.go) and lets it talk to insecure registries (`--insecure-registry`).
 */
export const registryMirror: Mutation = {
  name: "registry-mirror",
  unwanted(profile) {
    if (!profile.docker.mirror.enabled) return "disabled";
    const { mirrors, insecure, leftOut } = wantedFlags(profile);
    if (mirrors.length + insecure.length > 0) return undefined;
    return leftOut ? "mirror-not-a-flag" : "not-configured";
  },
  mutate(pod, profile) {
    const { runner, docker } = profile;
    const { mirrors, insecure, leftOut } = wantedFlags(profile);
    const dind = findDind(pod, { dind: docker.container, runner: runner.container })?.container;
    if (!dind) return doesNotApply("no-dind");
    const { flags, obstacle } = dockerdFlags(dind, pod);
    if (obstacle) return doesNotApply(obstacle);

    const missing = [
      ...missingFlags(flags, "--registry-mirror", mirrors),
      ...missingFlags(flags, "--insecure-registry", insecure),
    ];
    const onNode = missing.filter((flag) => flag.includes(hostIpReference));
    const possible = onNode.length === 0 || canUseHostIp(dind);
    addFlags(dind, possible ? missing : missing.filter((flag) => !onNode.includes(flag)));
    return applies(
      ...(isDindImage(dind.image) ? [] : (["custom-image"] as const)),
      ...(leftOut ? (["mirror-not-a-flag"] as const) : []),
      ...(possible ? [] : (["host-ip-taken"] as const)),
    );
  },
};

/** What the flags have to say; `leftOut` where that of a mirror can't be said by a flag. */
const wantedFlags = once(({ docker, registries }: Profile) => {
  const all = (registries["docker.io"]?.mirrors ?? []).map((mirror) => ({ ...mirror, ...endpointOf(mirror.url) }));
  const mirrors = all.filter(({ after }) => after === "");
  return {
    mirrors: mirrors.map(({ scheme, host, before }) => `${scheme}://${host}${before}`),
    insecure: [
      ...docker.mirror.insecureRegistries,
      ...Object.keys(registries).filter((host) => registries[host]?.insecure),
      ...mirrors.filter((mirror) => mirror.insecure).map(({ host }) => host),
    ],
    leftOut: mirrors.length < all.length,
  };
});

function missingFlags(flags: readonly string[], name: string, wanted: readonly string[]): string[] {
  const present = new Set(flagValues(flags, name).map(withoutSlash));
  return [...new Set(wanted)].filter((value) => !present.has(withoutSlash(value))).map((value) => `${name}=${value}`);
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, "");
}

/**
 * Sees to it that the kubelet puts the node's address in place of `$(HOST_IP)`: adds the variable, unless it is there.
 * False if the container means something else by it.
 */
function canUseHostIp(container: Container): boolean {
  const there = container.env?.findLast(({ name }) => name === "HOST_IP");
  if (there) return there.valueFrom?.fieldRef?.fieldPath === "status.hostIP";
  const hostIp = { name: "HOST_IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.hostIP" } } };
  container.env = [...(container.env ?? []), hostIp];
  return true;
}
