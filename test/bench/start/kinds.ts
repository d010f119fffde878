import { clusterScript } from "../../cluster/support/script.ts";
import { containerNamed } from "../../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../../cluster/support/runner-pod.ts";
import type { PackageSource } from "../../cluster/support/packages.ts";

/** A kind of runner pod that the benchmark compares with others. */
export interface Kind {
  readonly name: string;
  /** The profile of the pod. If undefined, the pod opts out. */
  readonly profile?: string;
  /** What its log must contain, in addition. */
  readonly says?: RegExp;
  change?(pod: RunnerPod): void;
}

/** Packages that GitHub's image does not contain. */
export const lacking = ["make", "tree", "wget", "zstd"];
const present = ["ca-certificates", "curl", "git", "sudo"];

const stock: Kind = { name: "stock" };
const copied: Kind = { name: "primed", profile: "default" };
const volume: Kind = { name: "primed, externals as a volume", profile: "volume" };
const memory: Kind = { name: "primed, externals in memory", profile: "memory" };
const custom: Kind = {
  name: "custom image",
  change(pod) {
    const runner = containerNamed(pod, "runner");
    Object.assign(runner, { image: "custom-runner:bench", command: ["/home/runner/start.sh"] });
    containerNamed(pod, "init-dind-externals").image = "custom-runner:bench";
    // A user with a custom image maintains the whole pod template anyway. So it has no probe, because the loop is faster.
    delete containerNamed(pod, "dind").startupProbe;
  },
};
/** The time of the kubelet alone: a sidecar and a container from the same images that do nothing. */
const floor: Kind = {
  name: "the kubelet's floor",
  change(pod) {
    const dind = containerNamed(pod, "dind");
    delete dind.startupProbe;
    Object.assign(dind, { command: ["sleep", "600"], args: [] });
    pod.spec.initContainers = [dind];
  },
};

/** The same result without a webhook: an image volume instead of the copy, and a loop before run.sh. */
const byHand: Kind = {
  name: "the same by hand",
  change(pod) {
    const [runner, dind] = [containerNamed(pod, "runner"), containerNamed(pod, "dind")];
    delete dind.startupProbe;
    pod.spec.initContainers = [dind];
    const loop = "until docker version > /dev/null 2>&1; do sleep 0.05; done; exec /home/runner/run.sh";
    runner.command = ["sh", "-c", loop];
    const image = { reference: runner.image, pullPolicy: "IfNotPresent" };
    pod.spec.volumes = pod.spec.volumes?.map((one) =>
      one.name === "dind-externals" ? { name: one.name, image } : one,
    );
    dind.volumeMounts =
      dind.volumeMounts?.map((mount) =>
        mount.name === "dind-externals" ? { ...mount, subPath: "home/runner/externals", readOnly: true } : mount,
      ) ?? [];
  },
};

export const bundled: Kind = {
  name: "volume and four packages from a bundle",
  profile: "bundle",
  says: /packages from the bundle [0-9a-f]{64}/,
};

/** An init container that does nothing: the least that an init container for packages can cost. */
export const idleInit: Kind = {
  name: "volume and an init container that does nothing",
  profile: "volume",
  change(pod) {
    const { spec } = pod;
    // The webhook keeps the probe if another init container comes after DinD.
    delete containerNamed(pod, "dind").startupProbe;
    const { image = "" } = spec.containers.find(({ name }) => name === "runner")!;
    spec.initContainers = [
      ...(spec.initContainers ?? []),
      { name: "nothing", image, imagePullPolicy: "IfNotPresent", command: ["true"] },
    ];
  },
};

/** The kinds that are started one at a time. */
export const kinds: readonly Kind[] = [
  stock,
  copied,
  volume,
  memory,
  { name: "volume and a mirror", profile: "mirror" },
  { name: "volume and four packages", profile: "packages" },
  bundled,
  idleInit,
  { name: "volume and no package missing", profile: "nothing-missing" },
  { name: "volume and a disk for Docker's data", profile: "data" },
  custom,
  byHand,
  floor,
];

/** The kinds of which several pods are started at once. */
export const inWaves: readonly Kind[] = [stock, copied, volume, idleInit, bundled, memory, custom, byHand, floor];

/** @param source the package repository. It also serves as the image's own package sources, which are empty */
export function configuration({ apt: own, address }: PackageSource) {
  const apt = { ...own, proxy: address };
  const docker = { externals: "volume" };
  const profiles = {
    default: {},
    volume: { docker },
    memory: { docker: { externals: "memory" } },
    mirror: { docker, registries: { "docker.io": { mirrors: [{ url: "http://10.244.0.1:5000" }] } } },
    packages: { docker, prerequisites: { packages: lacking, apt } },
    bundle: { docker, prerequisites: { packages: lacking, apt } },
    data: { docker: { ...docker, data: { emptyDir: { sizeLimit: "20Gi" } } } },
    "nothing-missing": { docker, prerequisites: { packages: present, apt } },
  };
  const rules = [{ profile: "default", allowedProfiles: Object.keys(profiles) }];
  return { apiVersion: "arc-primer.dev/v1alpha1", kind: "PrimerConfiguration", profiles, rules };
}

/** Turns a stock pod into a pod of this kind: adds the annotation that selects the profile, and applies the kind's changes. */
export function changeFor({ profile, change }: Kind): (pod: RunnerPod) => void {
  return (pod) => {
    const asked: Record<string, string> = profile
      ? { "arc-primer.dev/profile": profile }
      : { "arc-primer.dev/skip": "true" };
    pod.metadata.annotations = { ...pod.metadata.annotations, ...asked };
    // The image's own package sources are unreachable. With this resolver, lookups fail immediately, because the node refuses
    // the connection. Otherwise, apt would wait a minute for a resolver that pods cannot reach.
    Object.assign(pod.spec, { dnsPolicy: "None", dnsConfig: { nameservers: ["10.244.0.1"] } });
    change?.(pod);
  };
}

/** Loads the custom image on the node. Works only if the node is this machine. */
export function loadCustomImage(): void {
  clusterScript("bare/load-image.sh", clusterScript("bare/custom-runner.sh", ...lacking));
}
