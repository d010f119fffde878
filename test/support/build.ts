import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Vitest's global setup: builds the bundle, which some tests run as a process. Takes about half a second. */
export default function setup(): void {
  const script = fileURLToPath(new URL("../../build.mjs", import.meta.url));
  execFileSync(process.execPath, [script], { stdio: "inherit" });
}
