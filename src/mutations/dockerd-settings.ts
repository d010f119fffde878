import type { Profile } from "../config/schema.ts";
import { findDinds } from "../docker/dind.ts";
import { addFlags, dockerdFlags, flagValues } from "../docker/dockerd.ts";
import { mirroredImage } from "../docker/image-mirror.ts";
import { envEntry } from "../pod/env.ts";
import type { Container, EnvVar, Pod } from "../pod/types.ts";
import type { Note } from "../report/reasons.ts";
import { applies, doesNotApply, combineVerdicts } from "../engine/mutation.ts";
import type { Mutation, Verdict } from "../engine/mutation.ts";

type Daemon = Profile["docker"]["daemon"];
type ValueFrom = Exclude<Daemon["env"][string], string>["valueFrom"];

const bridgeMtu = "bridge=com.docker.network.driver.mtu=";
const stockImages = ["docker:dind", "library/docker:dind", "docker.io/docker:dind", "docker.io/library/docker:dind"];

/** Flags that can be repeated (moby, cmd/dockerd): each occurrence adds a value. */
const repeatable =
  "--add-runtime --default-network-opt --default-ulimit --dns --dns-opt --dns-search --exec-opt --feature --host --label --log-opt --storage-opt".split(
    " ",
  );

/**
 * Configures what ARC's Helm values cannot configure: MTU, address pools, additional flags, image version, environment
 * variables and resources of the DinD container. Values that the pod sets are kept.
 */
export const dockerdSettings: Mutation = {
  name: "dockerd-settings",
  configure(profile) {
    const { daemon } = profile.docker;
    if (!daemon.enabled) return "disabled";
    const flags = wantedFlags(daemon);
    const env = wantedEnv(daemon);
    const hasOtherSettings = daemon.image !== undefined || daemon.resources || Object.keys(env).length > 0;
    if (flags.length === 0 && !hasOtherSettings) return "not-configured";

    return (pod) => {
      const changeContainer = (dind: Container): Verdict => {
        const { flags: present, obstacle } = dockerdFlags(dind, pod);
        if (obstacle && !hasOtherSettings) return doesNotApply(obstacle);
        return applies(
          ...(flags.length > 0 && obstacle ? (["flags-left-out", obstacle] as const) : setFlags(dind, present, flags)),
          ...setImage(dind, daemon.image, profile.images),
          ...setEnv(dind, env),
          ...setResources(pod, dind, daemon.resources),
        );
      };
      const [first, ...more] = findDinds(pod, profile).map(({ container }) => changeContainer(container));
      return first ? combineVerdicts([first, ...more]) : doesNotApply("no-dind");
    };
  },
};

function setFlags(dind: Container, flags: readonly string[], wanted: readonly (readonly WantedFlag[])[]): Note[] {
  // If the pod sets a flag to another value, it is kept, and none of the flags of that setting is added.
  const kept = wanted.filter((setting) => setting.some((flag) => clashes(flags, flag)));
  const missing = wanted
    .filter((setting) => !kept.includes(setting))
    .flatMap((setting) =>
      setting.filter(({ name, value }) => value === undefined || !flagValues(flags, name).includes(value)),
    )
    .map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
    .filter((flag) => !flags.includes(flag));
  addFlags(dind, missing);
  return kept.length > 0 ? ["flag-kept"] : [];
}

/** A flag that a setting needs. */
interface WantedFlag {
  readonly name: string;
  readonly value: string | undefined;
  /** Whether a value that the pod sets for this flag conflicts with ours. By default, every other value does. */
  readonly contradicts?: (value: string) => boolean;
  /** Flags that dockerd does not accept together with this one. */
  readonly excludedBy?: readonly string[];
}

/** The flags for each setting in the profile. The flags of one setting are added together or not at all. */
function wantedFlags({ mtu, bip, addressPools, extraArgs }: Daemon): WantedFlag[][] {
  const pools = addressPools.map(({ base, size }) => `base=${base},size=${size}`);
  const settings: WantedFlag[][] = [];
  if (mtu !== undefined) {
    const bridge = bridgeMtu + mtu;
    // --mtu applies to Docker's default bridge, --default-network-opt to the networks that jobs create.
    settings.push([
      { name: "--mtu", value: String(mtu) },
      {
        name: "--default-network-opt",
        value: bridge,
        contradicts: (value) => value.startsWith(bridgeMtu) && value !== bridge,
      },
    ]);
  }
  if (bip !== undefined) settings.push([{ name: "--bip", value: bip, excludedBy: ["--bridge", "-b", "--fixed-cidr"] }]);
  if (pools.length > 0) {
    settings.push(
      pools.map((value) => ({
        name: "--default-address-pool",
        value,
        contradicts: (present) => !pools.includes(present),
      })),
    );
  }
  for (const flag of extraArgs) {
    const [name = "", ...rest] = flag.split("=");
    const value = rest.length > 0 ? rest.join("=") : undefined;
    settings.push([{ name, value, ...(repeatable.includes(name) && { contradicts: () => false }) }]);
  }
  return settings;
}

/** Whether the pod already sets a flag in a way that conflicts with the wanted one. */
function clashes(flags: readonly string[], { name, value, contradicts, excludedBy = [] }: WantedFlag): boolean {
  const differs = contradicts ?? ((present: string) => present !== value);
  const isSet = (flag: string) => flags.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (value === undefined) return flags.some((arg) => arg.startsWith(`${name}=`));
  return flagValues(flags, name).some(differs) || excludedBy.some(isSet);
}

/** Replaces the image that ARC sets, which its Helm values cannot change. Any other image is kept. */
function setImage(dind: Container, image: string | undefined, { enabled, mirrors }: Profile["images"]): Note[] {
  if (image === undefined || dind.image === image) return [];
  if (enabled && dind.image === mirroredImage(image, mirrors)) return []; // already rewritten by image-mirror in an earlier pass
  if (!stockImages.includes(dind.image ?? "")) return ["image-kept"];
  dind.image = image;
  return [];
}

/**
 * The variables to set. dockerd reads the lowest API version to accept (1.24 or later) from DOCKER_MIN_API_VERSION (moby,
 * daemon/config/config.go).
 */
function wantedEnv({ env, minApiVersion }: Daemon): Daemon["env"] {
  return { ...(minApiVersion !== undefined && { DOCKER_MIN_API_VERSION: minApiVersion }), ...env };
}

function setEnv(dind: Container, env: Daemon["env"]): Note[] {
  let isKept = false;
  for (const [name, value] of Object.entries(env)) {
    const entry = envEntry(dind, name);
    const wanted = { name, ...(typeof value === "string" ? { value } : { valueFrom: asOptional(value.valueFrom) }) };
    if (!entry) (dind.env ??= []).push(wanted);
    else if (JSON.stringify(entry) !== JSON.stringify(wanted)) isKept = true;
  }
  return isKept ? ["env-kept"] : [];
}

/** Marks references as optional. Otherwise the pod would never start if the object is missing. */
function asOptional({ secretKeyRef, configMapKeyRef }: ValueFrom): NonNullable<EnvVar["valueFrom"]> {
  return {
    ...(secretKeyRef && { secretKeyRef: { ...secretKeyRef, optional: true } }),
    ...(configMapKeyRef && { configMapKeyRef: { ...configMapKeyRef, optional: true } }),
  };
}

function setResources(pod: Pod, dind: Container, resources: Daemon["resources"]): Note[] {
  if (!resources || JSON.stringify(dind.resources) === JSON.stringify(resources)) return [];
  const present = dind.resources?.requests ?? dind.resources?.limits ?? dind.resources?.claims ?? pod.spec.resources;
  if (present) return ["resources-kept"];
  dind.resources = { ...resources };
  return [];
}
