import type { Profile } from "../config/schema.ts";
import { findDind, parseImage } from "../pod/containers.ts";
import { addFlags, dockerdFlags, flagValues } from "../pod/dockerd.ts";
import type { Container, Pod } from "../pod/types.ts";
import type { Note } from "../runner/reasons.ts";
import { applies, doesNotApply } from "./mutation.ts";
import type { Mutation } from "./mutation.ts";

type Daemon = Profile["docker"]["daemon"];

const bridgeMtu = "bridge=com.docker.network.driver.mtu=";
const stockRepositories = ["docker", "library/docker", "docker.io/docker", "docker.io/library/docker"];

/**
 * Gives the DinD container what ARC's values cannot: MTU, address ranges, more flags, another version of the image,
 * environment variables, resources. What the pod sets itself stays.
 */
export const dockerdSettings: Mutation = {
  name: "dockerd-settings",
  mutate(pod, { runner, docker }) {
    const { daemon } = docker;
    if (!daemon.enabled) return doesNotApply("disabled");
    const flags = wantsFlags(daemon);
    const others = daemon.image !== undefined || daemon.resources !== undefined || Object.keys(daemon.env).length > 0;
    if (!flags && !others) return doesNotApply("not-configured");
    const dind = findDind(pod, { dind: docker.container, runner: runner.container })?.container;
    if (!dind) return doesNotApply("no-dind");
    const { obstacle } = dockerdFlags(dind, pod);
    if (obstacle && !others) return doesNotApply(obstacle);

    return applies(
      ...(flags ? setFlags(pod, dind, daemon) : []),
      ...setImage(dind, daemon.image),
      ...setEnv(dind, daemon.env),
      ...setResources(pod, dind, daemon.resources),
    );
  },
};

function wantsFlags({ mtu, bip, addressPools, extraArgs }: Daemon): boolean {
  return mtu !== undefined || bip !== undefined || addressPools.length > 0 || extraArgs.length > 0;
}

function setFlags(pod: Pod, dind: Container, daemon: Daemon): Note[] {
  const { flags, obstacle } = dockerdFlags(dind, pod);
  if (obstacle) return ["flags-left-out"];
  const wanted = wantedFlags(daemon);
  // A flag that the pod gives another value stays, and with it all that belong to the same setting.
  const kept = wanted.filter((setting) => setting.some(({ name, value, own }) => clashes(flags, name, value, own)));
  const missing = wanted
    .filter((setting) => !kept.includes(setting))
    .flatMap((setting) => setting.map(({ name, value }) => `${name}=${value}`))
    .filter((flag) => !flags.includes(flag));
  addFlags(dind, [...missing, ...daemon.extraArgs.filter((flag) => !flags.includes(flag))]);
  return kept.length > 0 ? ["flag-kept"] : [];
}

/** A flag that a setting needs. `own`: which of the values a repeatable flag has belong to that setting. */
interface WantedFlag {
  name: string;
  value: string;
  own?: (value: string) => boolean;
}

/** The flags of each setting; those of one setting go together. */
function wantedFlags({ mtu, bip, addressPools }: Daemon): WantedFlag[][] {
  const pools = addressPools.map(({ base, size }) => `base=${base},size=${size}`);
  const settings: WantedFlag[][] = [];
  if (mtu !== undefined) {
    // Docker's default bridge takes its MTU from the first, networks that jobs create from the second.
    settings.push([
      { name: "--mtu", value: String(mtu) },
      { name: "--default-network-opt", value: bridgeMtu + mtu, own: (value) => value.startsWith(bridgeMtu) },
    ]);
  }
  if (bip !== undefined) settings.push([{ name: "--bip", value: bip }]);
  settings.push(
    pools.map((value) => ({ name: "--default-address-pool", value, own: (present) => !pools.includes(present) })),
  );
  return settings;
}

function clashes(flags: readonly string[], name: string, value: string, own: WantedFlag["own"] = () => true): boolean {
  return flagValues(flags, name)
    .filter(own)
    .some((present) => present !== value);
}

/** Another version for the stock image, which ARC's values cannot change. An image that somebody chose stays. */
function setImage(dind: Container, image: string | undefined): Note[] {
  if (image === undefined || dind.image === image) return [];
  const { repository, tag } = parseImage(dind.image ?? "");
  if (!stockRepositories.includes(repository) || tag.includes("rootless")) return ["image-kept"];
  dind.image = image;
  return [];
}

function setEnv(dind: Container, env: Readonly<Record<string, string>>): Note[] {
  const entries = new Map((dind.env ?? []).map((entry) => [entry.name, entry]));
  const missing = Object.entries(env).filter(([name]) => !entries.has(name));
  if (missing.length > 0) dind.env = [...(dind.env ?? []), ...missing.map(([name, value]) => ({ name, value }))];
  const differs = Object.entries(env).some(([name, value]) => entries.has(name) && entries.get(name)?.value !== value);
  return differs ? ["env-kept"] : [];
}

function setResources(pod: Pod, dind: Container, resources: Daemon["resources"]): Note[] {
  if (!resources || JSON.stringify(dind.resources) === JSON.stringify(resources)) return [];
  const own = dind.resources?.requests ?? dind.resources?.limits ?? dind.resources?.claims ?? pod.spec.resources;
  if (own) return ["resources-kept"];
  dind.resources = { ...resources };
  return [];
}
