import type { Node } from "../objects.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import { isAtLeast } from "./versions.ts";

export const nodes = check({
  name: "nodes",
  group: "cluster",
  description: "The versions of the kubelet and the container runtime on each node.",
  problems: {
    "no-native-sidecars": {
      status: "warn",
      means:
        "Kubelets before 1.29 reject pods with native sidecars. With a newer API server, ARC creates DinD as a native sidecar.",
      do: "Upgrade these nodes, or keep runner pods off them with a nodeSelector in the templates of the scale sets.",
    },
  },
  run({ nodes: read }) {
    if (!("found" in read)) return [unreadable("the nodes", read)];
    const all = linuxNodes(read.found);
    if (all.length === 0) return [{ unknown: "the cluster has no Linux nodes" }];
    const old = all.filter((node) => isAtLeast(kubeletOf(node), 1, 29) === false);
    const kinds = [...countBy(all, (node) => `kubelet ${kubeletOf(node)}, ${runtimeOf(node)}`)];
    const ok = { ok: `${counted(all.length, "node")}: ${listed(kinds.map(([kind, count]) => `${kind} (${count})`))}` };
    if (old.length === 0) return [ok];
    return [ok, { problem: "no-native-sidecars", what: `kubelets before 1.29 on ${listed(old.map(nameOfNode))}` }];
  },
});

/** Only Linux nodes: arc-primer does not change runners on Windows. */
export function linuxNodes(all: readonly Node[]): Node[] {
  return all.filter(({ status }) => (status?.nodeInfo?.operatingSystem ?? "linux") === "linux");
}

export const nameOfNode = ({ metadata }: Node): string => metadata.name;
export const kubeletOf = ({ status }: Node): string => status?.nodeInfo?.kubeletVersion ?? "of an unknown version";
export const runtimeOf = ({ status }: Node): string =>
  status?.nodeInfo?.containerRuntimeVersion ?? "an unknown runtime";

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
