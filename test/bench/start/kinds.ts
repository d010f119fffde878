import { clusterScript } from "../../cluster/support/script.ts";
import { containerNamed } from "../../cluster/support/runner-pod.ts";
import type { RunnerPod } from "../../cluster/support/runner-pod.ts";
import type { PackageSource } from "../../cluster/support/packages.ts";

/** What is compared: ways to make a runner pod start. */
export interface Kind {
  readonly name: string;
  /** The profile that primes it; none: the pod opts out. */
  readonly profile?: string;
  /** What its log has to say, besides. */
  readonly says?: RegExp;
  change?(pod: RunnerPod): void;
}

/** GitHub's image lacks these. */
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
    // Its owner has to write the whole pod template out anyway, and leaves the probe away: the loop is faster.
    delete containerNamed(pod, "dind").startupProbe;
  },
};
/** What the kubelet takes by itself: a sidecar and a container that have nothing to do, of the same images. */
const floor: Kind = {
  name: "the kubelet's floor",
  change(pod) {
    const dind = containerNamed(pod, "dind");
    delete dind.startupProbe;
    Object.assign(dind, { command: ["sleep", "600"], args: [] });
    pod.spec.initContainers = [dind];
  },
};

/** What can be had without a webhook: an image volume in the place of the copy, and a loop before run.sh. */
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

/** What an init container costs that does nothing: no pod that gets packages can start earlier. */
export const idleInit: Kind = {
  name: "volume and an init container that does nothing",
  profile: "volume",
  change(pod) {
    const { spec } = pod;
    // The webhook keeps the probe if an init container of somebody else's comes after DinD.
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

/** The kinds of which several are started at once. */
export const inWaves: readonly Kind[] = [stock, copied, volume, idleInit, bundled, memory, custom, byHand, floor];

/** @param source the repository of the packages. It also plays the image's own sources, and has nothing there */
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

/** The pod of a kind: stock, but for the annotation that says what is to become of it. */
export function changeFor({ profile, change }: Kind): (pod: RunnerPod) => void {
  return (pod) => {
    const asked: Record<string, string> = profile
      ? { "arc-primer.dev/profile": profile }
      : { "arc-primer.dev/skip": "true" };
    pod.metadata.annotations = { ...pod.metadata.annotations, ...asked };
    // The image's own package sources cannot be reached. That is known at once, and not after a minute of asking a
    // resolver that pods do not reach: the node refuses.
    Object.assign(pod.spec, { dnsPolicy: "None", dnsConfig: { nameservers: ["10.244.0.1"] } });
    change?.(pod);
  };
}

/** Makes the custom image known to the node. Only where the node is this machine. */
export function loadCustomImage(): void {
  clusterScript("bare/load-image.sh", clusterScript("bare/custom-runner.sh", ...lacking));
}
