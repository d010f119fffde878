import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { examplePem } from "../../test/support/pods.ts";
import { allShells, workspace } from "../../test/support/script.ts";
import { findTool, haveTools } from "../../test/support/tools.ts";
import { jobVariables } from "../../test/support/variables.ts";
import script from "./place-files.sh";

// Runs the script as in pods: under each shell, with real files, as root and as another user.

const files = workspace();
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

/** A new directory with a source file, and a home directory that belongs to the user that runs the script. */
function place(): { at: string; source: string; home: string } {
  const at = files.folder();
  const home = join(at, "home");
  mkdirSync(home, { recursive: true });
  if (isRoot) chownSync(home, nobody, nobody);
  const source = join(at, "source");
  writeFileSync(source, "content\n");
  return { at, source, home };
}

const tools = ["cp", "mv", "rm", "mkdir", "cat", "mktemp", "chmod", "id"];

const pathWith = (...more: [name: string, body: string][]) => files.pathWith(...tools, ...more);

const echo = [findTool("dash")!, "-c", 'echo "started $# ${NODE_EXTRA_CA_CERTS-}"', "zero", "two words", "$(x)"];

function run(
  shell: readonly string[],
  words: string[],
  env: Record<string, string> = {},
  asRoot = false,
  command = echo,
) {
  const [program = "", ...first] = shell;
  const args = [...first, "-c", script, "arc-primer-files", ...words, "--", ...command];
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { PATH: pathWith(), TMPDIR: tmpdir(), ...env },
    ...(isRoot && !asRoot && { uid: nobody, gid: nobody }),
  });
  return { status, stdout, stderr };
}

const started = "started 2 \n";

describe.runIf(haveTools("dash", "bash", "busybox"))("place-files.sh", () => {
  describe.each(allShells)("under %s", (_name, sh) => {
    test("copies files and creates missing directories, which belong to the user that runs it", () => {
      const { source, home } = place();
      const [one, two] = [join(home, ".docker/buildx/a file"), join(home, ".config/dagger/engine.json")];
      const result = run(sh, ["home", home, "copy", source, one, "copy", source, two], { HOME: home });
      expect(result).toEqual({ status: 0, stdout: started, stderr: "" });
      expect([readFileSync(one, "utf8"), readFileSync(two, "utf8")]).toEqual(["content\n", "content\n"]);
      expect(readdirSync(join(home, ".docker/buildx"))).toEqual(["a file"]);
      expect(statSync(join(home, ".docker")).uid).toBe(isRoot ? nobody : process.getuid?.());
    });

    test("never overwrites an existing file, and says so", () => {
      const { source, home } = place();
      const target = join(home, "mine");
      writeFileSync(target, "my own\n");
      const { status, stderr } = run(sh, ["copy", source, target]);
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr: `arc-primer: ${target} already exists and is not changed\n`,
      });
      expect(readFileSync(target, "utf8")).toBe("my own\n");
    });

    test("does not overwrite a dangling symlink", () => {
      const { at, source, home } = place();
      const target = join(home, "mine");
      symlinkSync(join(at, "nowhere"), target);
      expect(run(sh, ["copy", source, target]).stderr).toContain("already exists");
      expect(existsSync(join(at, "nowhere"))).toBe(false);
    });

    test("a missing source is logged, and the job starts", () => {
      const { at, home } = place();
      const { status, stdout, stderr } = run(sh, ["copy", join(at, "gone"), join(home, "x/y")]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: started });
      expect(stderr).toMatch(/gone is missing, so .*y was not created: check that the ConfigMap or Secret/);
      expect(readdirSync(home)).toEqual([]);
    });

    test("missing certificates result in an empty file, because buildx requires one", () => {
      const { at, home } = place();
      const { status, stderr } = run(sh, ["copy-ca", join(at, "gone"), join(home, "x/ca.pem")]);
      expect(status).toBe(0);
      expect(stderr).toContain("private certificates are not trusted");
      expect(readFileSync(join(home, "x/ca.pem"), "utf8")).toBe("");
    });

    test.runIf(isRoot)("if nothing can be written, the tool's error and ours are logged, and the job starts", () => {
      const { at, source } = place();
      chmodSync(at, 0o755);
      const { status, stdout, stderr } = run(sh, ["copy", source, join(at, "no/where")]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: started });
      expect(stderr).toMatch(/mkdir: .*ermission denied\n/);
      expect(stderr).toContain("could not be written; continuing without it");
    });

    test("a different HOME is logged", () => {
      const { home } = place();
      const { stderr } = run(sh, ["home", home], { HOME: "/else" });
      expect(stderr).toContain(`HOME is /else, but arc-primer copies files to ${home}`);
      expect(run(sh, ["home", home]).stderr).toContain("HOME is not set");
    });

    test("NODE_EXTRA_CA_CERTS is set, or combined with the file that it names, which is not changed", () => {
      const { at, source } = place();
      expect(run(sh, ["trust", source]).stdout).toBe(`started 2 ${source}\n`);
      expect(run(sh, ["trust", source], { NODE_EXTRA_CA_CERTS: source }).stdout).toBe(`started 2 ${source}\n`);

      const own = join(at, "own.pem");
      writeFileSync(own, "my own"); // without a newline at the end
      const { stdout } = run(sh, ["trust", source], { NODE_EXTRA_CA_CERTS: own });
      const both = stdout.trim().split(" ").at(-1)!;
      expect([own, source]).not.toContain(both);
      expect(readFileSync(both, "utf8")).toBe("my own\ncontent\n");
      expect(readFileSync(own, "utf8")).toBe("my own");
      rmSync(both);
      expect(run(sh, ["trust", source], { NODE_EXTRA_CA_CERTS: "/gone" })).toMatchObject({
        stdout: `started 2 ${source}\n`,
        stderr: expect.stringContaining("NODE_EXTRA_CA_CERTS was set to /gone, which cannot be read"),
      });
    });

    test("the reason why the system's trust store cannot be changed is logged", () => {
      const { at, source } = place();
      expect(run(sh, ["trust", source]).stderr).toContain("this image has no update-ca-certificates");
      const { status, stderr } = run(sh, ["trust", join(at, "gone")]);
      expect(status).toBe(0);
      expect(stderr).toContain("private certificates are not trusted");
    });

    test.runIf(isRoot)("changing the system's trust store requires root or passwordless sudo", () => {
      const { source } = place();
      const path = pathWith(["update-ca-certificates", "exit 0"], ["sudo", "exit 1"]);
      expect(run(sh, ["trust", source], { PATH: path }).stderr).toContain("not root and has no passwordless sudo");
    });

    test.runIf(isRoot)("the system's trust store gets one file per certificate", () => {
      const { at } = place();
      const bundle = join(at, "bundle.pem");
      writeFileSync(bundle, `first\n${examplePem}\nsecond\n${examplePem.trim()}`);
      chmodSync(at, 0o777);
      // A sudo that runs the command with the store's path replaced by a directory of the test.
      const redirect = `shift; for word in "$@"; do shift; case $word in /usr/local/share/*) word=${at}/store/ ;; esac; set -- "$@" "$word"; done; exec "$@"`;
      const path = pathWith(
        ["sudo", redirect],
        ["true", "exit 0"],
        ["update-ca-certificates", `echo updated > ${at}/ran`],
      );
      const result = run(sh, ["trust", bundle], { PATH: path });
      expect(result.stderr).toBe("");
      expect(readdirSync(join(at, "store")).toSorted()).toEqual(["arc-primer-1.crt", "arc-primer-2.crt"]);
      expect(readFileSync(join(at, "store/arc-primer-2.crt"), "utf8")).toBe(examplePem);
      expect(readFileSync(join(at, "ran"), "utf8")).toBe("updated\n");
    });

    test("trust-in-node does not change the system's trust store", () => {
      const { source } = place();
      const path = pathWith(["sudo", "echo sudo ran >&2"], ["update-ca-certificates", "echo it ran >&2"]);
      const result = run(sh, ["trust-in-node", source], { PATH: path });
      expect(result).toEqual({ status: 0, stdout: `started 2 ${source}\n`, stderr: "" });
      expect(run(sh, ["trust-in-node", "/gone"]).stderr).toContain("private certificates are not trusted");
    });

    test.runIf(isRoot)("if update-ca-certificates fails, its error is logged, and the job starts", () => {
      const { at } = place();
      const bundle = join(at, "bundle.pem");
      writeFileSync(bundle, examplePem);
      const path = pathWith(
        ["sudo", 'shift; case $1 in update*) exec "$@" ;; esac'],
        ["update-ca-certificates", "echo disk full; exit 1"],
      );
      const { status, stdout, stderr } = run(sh, ["trust", bundle], { PATH: path });
      expect({ status, stdout }).toEqual({ status: 0, stdout: `started 2 ${bundle}\n` });
      expect(stderr).toContain("could not be added to the system's trust store; continuing without them. disk full");
    });

    test.runIf(isRoot)("the command's environment variables are not changed, whatever their names", () => {
      const { at, source, home } = place();
      const [bundle, named] = [join(at, "bundle.pem"), join(at, "own.pem")];
      for (const file of [bundle, named]) writeFileSync(file, examplePem);
      const own = jobVariables(script);
      expect(Object.keys(own)).toEqual(expect.arrayContaining(["sudo", "store", "parts", "both", "line", "number"]));
      const path = pathWith(["sudo", ":"], ["update-ca-certificates", ":"]);
      const words = ["home", home, "copy", source, join(home, "x/y"), "trust", bundle];
      const env = { ...own, HOME: home, NODE_EXTRA_CA_CERTS: named, PATH: path };
      const { stdout, stderr } = run(sh, words, env, false, [findTool("env")!]);
      expect(stderr).toBe("");
      for (const [name, value] of Object.entries(own)) expect(stdout).toContain(`${name}=${value}\n`);
      rmSync(/^NODE_EXTRA_CA_CERTS=(.*)$/m.exec(stdout)![1]!); // only the command gets this path
    });

    test("executes the command: same process, same arguments, its exit code", () => {
      const words = ["two words", "$(date) $$ $HOME", "", "*", "--", "it's"];
      const [program = "", ...rest] = sh;
      const report = 'printf "%s|" "$$" "$@"; exit 3';
      const child = spawnSync(
        program,
        [...rest, "-c", script, "arc-primer-files", "--", findTool("dash")!, "-c", report, "zero", ...words],
        { encoding: "utf8" },
      );
      expect(child.status).toBe(3);
      expect(child.stdout.split("|").slice(0, -1)).toEqual([String(child.pid), ...words]);
    });
  });
});
