import type { Container } from "../../pod/types.ts";
import type { Node } from "../objects.ts";
import type { Readings } from "../readings.ts";
import { keepsImageVolume } from "./api-server.ts";
import { check, listed, unreadable } from "./check.ts";
import type { Finding } from "./check.ts";
import { kubeletOf, linuxNodes, nameOfNode, runtimeOf } from "./nodes.ts";
import { isAtLeast } from "./versions.ts";

export const imageVolumes = check({
  name: "image-volumes",
  group: "cluster",
  description:
    "Whether docker.externals: volume is safe and useful on this cluster. A dry run with a test pod shows whether the API server supports image volumes.",
  problems: {
    dropped: {
      status: "fail",
      means:
        "The API server drops image volumes from pods without an error. Docker then has no externals, and steps that run in a container fail.",
      do: "Set docker.externals to copy or memory in PROFILES, or enable the feature gate ImageVolume (enabled by default since Kubernetes 1.35).",
    },
    "unsafe-nodes": {
      status: "fail",
      means:
        "Pods with an image volume do not start on these nodes. Image volumes require kubelet 1.35 (1.33 with the feature gate) and containerd 2.1.",
      do: "Set docker.externals to copy in PROFILES, or run these scale sets' pods on other nodes, or upgrade the nodes.",
    },
    untried: {
      status: "warn",
      means:
        "CRI-O may mount image volumes noexec, and Node.js could then not run from the volume. This has not been tested.",
      do: "Test a job that uses container: on these nodes, or set docker.externals to copy in PROFILES.",
    },
  },
  run(readings) {
    const { nodes } = readings;
    const using = profilesUsing(readings);
    const isSupported = supportsImageVolumes(readings);
    if (isSupported === undefined) {
      return [{ unknown: "it is unknown whether the API server supports image volumes: no test pod could be created" }];
    }
    if (!isSupported) return [dropped(using)];
    if (!("found" in nodes)) return [unreadable("the nodes", nodes)];
    const all = linuxNodes(nodes.found);
    const unsafe = all.filter((node) => !isSafe(node));
    const untried = all.filter((node) => isSafe(node) && !isContainerd(node));
    if (unsafe.length + untried.length === 0) return [describeUse(using, all.length > 0, readings)];
    if (using.length === 0) {
      const where = `image volumes do not work or are untested on ${named([...unsafe, ...untried])}`;
      return [{ ok: `docker.externals: volume would not be safe: ${where}` }];
    }
    const names = { PROFILES: `the profile ${listed(using)}` };
    return unsafe.length > 0
      ? [{ problem: "unsafe-nodes", what: `image volumes do not work on ${named(unsafe)}`, names }]
      : [{ problem: "untried", what: `image volumes are untested on ${named(untried)}`, names }];
  },
});

/** The names of the profiles with docker.externals: volume. */
function profilesUsing({ release }: Readings): string[] {
  const parsed = release?.configuration?.parsed;
  const profiles = parsed && "config" in parsed ? Object.values(parsed.config.profiles) : [];
  return profiles.filter(({ docker }) => docker.externals === "volume").map(({ name }) => name);
}

function dropped(using: readonly string[]): Finding<"dropped"> {
  const what = "the API server drops image volumes";
  if (using.length === 0) return { ok: `${what}, and no profile sets docker.externals: volume` };
  const names = { PROFILES: `the profile ${listed(using)}` };
  return { problem: "dropped", what: `${what}, and ${uses(using)}`, names };
}

/** Whether the API server supports image volumes, by the dry run or, without one, by its version. */
function supportsImageVolumes({ imageVolume, version }: Readings): boolean | undefined {
  if (imageVolume?.status === 201) return keepsImageVolume(imageVolume.object);
  const gitVersion = "found" in version ? version.found.gitVersion : undefined;
  if (isAtLeast(gitVersion, 1, 35)) return true;
  // In 1.33 and 1.34 it depends on a feature gate.
  return isAtLeast(gitVersion, 1, 33) === false ? false : undefined;
}

/**
 * Whether pods with an image volume start on a node. In kubelet 1.33 and 1.34, this depends on a feature gate, which doctor
 * cannot read. These versions count as safe, because the API server has the feature enabled.
 */
function isSafe(node: Node): boolean {
  if (isAtLeast(kubeletOf(node), 1, 33) !== true) return false;
  return isContainerd(node) ? isAtLeast(runtimeOf(node), 2, 1) === true : runtimeOf(node).startsWith("cri-o://");
}

const isContainerd = (node: Node): boolean => runtimeOf(node).startsWith("containerd://");

function named(nodes: readonly Node[]): string {
  const names = nodes.map((node) => `${nameOfNode(node)} (${kubeletOf(node)}, ${runtimeOf(node)})`);
  return listed(names, 3);
}

function describeUse(using: readonly string[], isKnown: boolean, { dryRuns }: Readings): Finding<never> {
  if (using.length > 0) return { ok: `image volumes work; ${uses(using)}` };
  const copying = dryRuns.filter(({ pod }) => pod?.spec.initContainers?.some(copiesExternals));
  if (!isKnown || copying.length === 0) return { ok: "image volumes work here; no scale set copies externals" };
  const sets = listed(copying.map(({ scaleSet }) => scaleSet.metadata.name));
  return {
    ok: `docker.externals: volume would be safe and save time: each pod of ${sets} copies about 600 MB that a volume would mount`,
  };
}

function copiesExternals({ command, args }: Pick<Container, "command" | "args">): boolean {
  return [...(command ?? []), ...(args ?? [])].some((word) => word.includes("externals"));
}

function uses(profiles: readonly string[]): string {
  return profiles.length === 1 ? `the profile ${profiles[0]} uses them` : `the profiles ${listed(profiles)} use them`;
}
