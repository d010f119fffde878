import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs a script of test/cluster, such as `bare/load-image.sh`, and returns what it prints. */
export function clusterScript(script: string, ...args: string[]): string {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const { status, stdout } = spawnSync(path, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed`);
  return stdout.trim();
}
