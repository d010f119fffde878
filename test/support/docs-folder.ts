import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./docs.ts";
import type { Ran } from "./helm.ts";
import { findTool } from "./tools.ts";

/**
 * A directory in which the documentation's commands run. It contains the files of the checkout and the files that the
 * commands name. `arc-primer` is the built bundle, which `npm test` builds first.
 */
export class DocsFolder {
  readonly #folder = mkdtempSync(join(tmpdir(), "arc-primer-docs-"));

  /** @param programs programs to put first in PATH, by name, in addition to `arc-primer` and `helm` */
  constructor(programs: Record<string, string> = {}) {
    for (const entry of readdirSync(root)) symlinkSync(join(root, entry), join(this.#folder, entry));
    cpSync(join(root, "test/golden/dind-sidecar/pod.yaml"), join(this.#folder, "pod.yaml"));
    cpSync(join(root, "test/golden/dind-sidecar/config.yaml"), join(this.#folder, "primer.yaml"));
    this.write("values.yaml", "image: { repository: registry.example.com/arc-primer }\n");
    this.write("my-chart/Chart.yaml", "apiVersion: v2\nname: my-chart\nversion: 0.1.0\n");
    cpSync(join(this.#folder, "pod.yaml"), join(this.#folder, "my-chart/templates/pod.yaml"));
    const helm = findTool("helm");
    const all = {
      "arc-primer": `${process.execPath} ${join(root, "dist/arc-primer.mjs")}`,
      ...(helm && { helm }),
      ...programs,
    };
    for (const [name, program] of Object.entries(all)) this.write(`bin/${name}`, script(program));
  }

  write(name: string, text: string): void {
    const file = join(this.#folder, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text, { mode: 0o755 });
  }

  /**
   * Runs a command in a shell, in this directory. A pipeline fails if one of its commands fails.
   *
   * @param variables environment variables, in addition to those of the process
   */
  run(command: string, variables: Record<string, string> = {}): Ran {
    const env = { ...process.env, ...variables, PATH: `${join(this.#folder, "bin")}:${process.env["PATH"]}` };
    return spawnSync("bash", ["-o", "pipefail", "-c", command], { cwd: this.#folder, env, encoding: "utf8" });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

function script(program: string): string {
  return `#!/bin/sh\nexec ${program} "$@"\n`;
}
