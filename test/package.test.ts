import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterCache, findTool } from "./support/tools.ts";

// Tests the result of `npm pack` in a separate directory: the program needs no other files. `npm test` builds it first.

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-package-"));
const [bin, installed] = [join(folder, "bin"), join(folder, "lib/node_modules/arc-primer")];
const pod = fileURLToPath(new URL("golden/dind-sidecar/pod.yaml", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of the package, or kubectl, with only the package's programs and Node.js in PATH. */
function run(program: string, ...args: string[]): string {
  const PATH = [bin, dirname(process.execPath)].join(delimiter);
  return execFileSync(program, args, { encoding: "utf8", stdio: "pipe", cwd: folder, env: { PATH, HOME: folder } });
}

/** kubectl in PATH, or the newest one that the cluster tests have built. */
function findKubectl(): string | undefined {
  const programs = join(clusterCache, "bin");
  const versions = existsSync(programs) ? readdirSync(programs).filter((name) => name.startsWith("kubernetes-")) : [];
  const built = versions.toSorted().map((name) => join(programs, name, "kubectl"));
  return findTool("kubectl") ?? built.findLast((path) => existsSync(path));
}

beforeAll(() => {
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], { cwd: root });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  for (const path of [bin, installed]) mkdirSync(path, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, tarball), "-C", installed, "--strip-components=1"]);
  // Installs the programs as npm does.
  const { bin: names } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
    bin: Record<string, string>;
  };
  for (const [name, target] of Object.entries(names)) {
    chmodSync(join(installed, target), 0o755);
    symlinkSync(join(installed, target), join(bin, name));
  }
}, 60_000);

describe("the package that npm pack creates", () => {
  test("contains the program under both names", () => {
    expect(readdirSync(bin).toSorted()).toEqual(["arc-primer", "kubectl-arc_primer"]);
    for (const name of readdirSync(bin)) expect(run(join(bin, name), "--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("contains the pods of the demo", () => {
    expect(run("arc-primer", "demo")).toContain("wait-for-docker: applied");
    const fails = () => run("arc-primer", "demo", "nope");
    expect(fails).toThrow(
      /is neither a file nor a built-in pod; built-in pods: default-mode, dind-container, dind-sidecar, /,
    );
  });

  const kubectl = findKubectl();
  test.skipIf(!kubectl)("works as a kubectl plugin", () => {
    expect(run(kubectl!, "arc-primer", "explain", "-f", pod)).toContain(
      "Pod arc-runners/linux-x64-7hs5v-runner-k2m9d\n",
    );
    expect(run(kubectl!, "plugin", "list")).toContain("kubectl-arc_primer");
  });
});
