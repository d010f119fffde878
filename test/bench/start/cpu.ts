import { existsSync, readFileSync, readdirSync } from "node:fs";
import { cpuSeconds } from "../support/machine.ts";

/** Seconds of processor time, by who used them. */
export interface Cpu {
  /** The processes in the pods. */
  readonly pods: number;
  /** The kubelet and containerd. */
  readonly node: number;
  /** kube-apiserver, etcd, the controllers and the scheduler, which are on other machines in a real cluster. */
  readonly controlPlane: number;
  /** Everything, including the programs that start containers and exit (runc, shims), and this benchmark. */
  readonly total: number;
}

// The cgroup of all pods (test/cluster/bare/env.sh), in cgroup v2 and in v1.
const podsCgroups = ["/sys/fs/cgroup/arcprimer/cpu.stat", "/sys/fs/cgroup/cpuacct/arcprimer/cpuacct.usage"];
const groups = {
  node: ["kubelet", "containerd"],
  controlPlane: ["kube-apiserver", "etcd", "kube-controller", "kube-scheduler"],
};

/** Reads the processor time used since the machine was started. Subtract two readings. */
export function cpu(): Cpu {
  const processes = processTimes();
  const of = (names: readonly string[]) => names.reduce((sum, name) => sum + (processes.get(name) ?? 0), 0);
  return { pods: podsTime(), node: of(groups.node), controlPlane: of(groups.controlPlane), total: totalTime() };
}

/** What was used between two readings. */
export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  return {
    pods: after.pods - before.pods,
    node: after.node - before.node,
    controlPlane: after.controlPlane - before.controlPlane,
    total: after.total - before.total,
  };
}

function podsTime(): number {
  const file = podsCgroups.find((one) => existsSync(one));
  if (!file) throw new Error(`neither ${podsCgroups.join(" nor ")} exists: the processor time of pods cannot be read`);
  const text = readFileSync(file, "utf8");
  const microseconds = /^usage_usec (\d+)/.exec(text)?.[1];
  return microseconds ? Number(microseconds) / 1e6 : Number(text) / 1e9;
}

/** proc(5): user, nice, system, irq and softirq, in ticks of 10 ms. */
function totalTime(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8").split(/\s+/, 8).map(Number);
  return (user! + nice! + system! + irq! + softirq!) / 100;
}

/** The processor time of all processes, by name. */
function processTimes(): Map<string, number> {
  const times = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      times.set(name, (times.get(name) ?? 0) + cpuSeconds(Number(pid)));
    } catch {
      // the process has exited
    }
  }
  return times;
}
