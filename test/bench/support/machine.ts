import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, version } from "node:os";

/** The machine of a measurement, and its load before and after. Every page with results begins with these lines. */
export interface Machine {
  readonly lines: readonly string[];
}

/** Records the load of the machine now. Call the returned function at the end to get the lines for the page. */
export function machine(tools: Readonly<Record<string, string>> = {}): () => Machine {
  const before = load();
  return () => {
    const after = load();
    const cores = cpus();
    const busy = Math.max(before[0], after[2]) > cores.length / 2;
    return {
      lines: [
        `${cores[0]?.model.trim() ?? "unknown processor"}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; kernel ${release()} (${version()})`,
        [`Node.js ${process.version}`, ...Object.entries(tools).map(([name, its]) => `${name} ${its}`)].join(", "),
        `load average before: ${before.map(fixed).join(", ")}; after: ${after.map(fixed).join(", ")} (1, 5, 15 minutes)`,
        busy
          ? "**The machine was shared**. Other programs ran at the same time, as the load average shows. Trust the ratios, not the absolute numbers."
          : "No other programs ran on the machine.",
      ],
    };
  };
}

function load(): [number, number, number] {
  return loadavg() as [number, number, number];
}

function fixed(value: number): string {
  return value.toFixed(2);
}

/** The first line of a program's version output, or undefined if there is no such program. */
export function versionOf(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0];
  } catch (error) {
    // wrk prints its version and exits with an error.
    const { stdout } = error as { stdout?: string };
    return stdout?.split("\n")[0];
  }
}

/** Seconds of CPU time that a process has used so far (proc(5): utime and stime, in ticks of 10 ms). */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A process's memory in MB (10^6 bytes): the current resident memory, and its peak. */
export function memory(pid: number): { resident: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return { resident: of("VmRSS"), peak: of("VmHWM") };
}
