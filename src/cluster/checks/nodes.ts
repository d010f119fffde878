import type { Node } from "../objects.ts";
import { check, counted, listed, unreadable } from "./check.ts";
import { isAtLeast } from "./versions.ts";

export const nodes = check({
  name: "nodes",
  group: "cluster",
  looksAt: "Each node's kubelet and container runtime.",
  problems: {
    "no-native-sidecars": {
      status: "warn",
      means: "Kubelets before 1.29 refuse pods with native sidecars, as ARC makes DinD on a newer API server.",
      do: "Upgrade these nodes, or keep runner pods off them with a nodeSelector in the scale sets' templates.",
    },
  },
  look({ nodes: read }) {
    if (!("found" in read)) return [unreadable("the nodes", read)];
    const all = linuxNodes(read.found);
    if (all.length === 0) return [{ unknown: "there are no Linux nodes" }];
    const old = all.filter((node) => isAtLeast(kubeletOf(node), 1, 29) === false);
    const kinds = [...countBy(all, (node) => `kubelet ${kubeletOf(node)}, ${runtimeOf(node)}`)];
    const ok = { ok: `${counted(all.length, "node")}: ${listed(kinds.map(([kind, count]) => `${kind} (${count})`))}` };
    if (old.length === 0) return [ok];
    return [ok, { problem: "no-native-sidecars", what: `kubelets before 1.29 on ${listed(old.map(nameOfNode))}` }];
  },
});

/** Runners on Windows are left alone. */
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
