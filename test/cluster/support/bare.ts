import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs a script of the bare cluster, and returns what it prints. */
export function bare(script: string, ...args: string[]): string {
  const path = fileURLToPath(new URL(`../bare/${script}`, import.meta.url));
  const { status, stdout } = spawnSync(path, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed`);
  return stdout.trim();
}
