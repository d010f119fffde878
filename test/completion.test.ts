import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { haveTools } from "./support/tools.ts";

// Tests the bundle's completion in real shells, in a terminal that `script` creates. `npm test` builds the bundle first.

const bundle = fileURLToPath(new URL("../dist/arc-primer.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-completion-"));
const [bin, work, called] = [join(folder, "bin"), join(folder, "work"), join(folder, "called")];
mkdirSync(bin);
mkdirSync(join(work, "folder"), { recursive: true });
writeFileSync(join(work, "primer.yaml"), "");
// A stub in PATH: the bundle answers completion requests, all other calls are only recorded.
const program = `#!/bin/sh
case $1 in complete | completion) exec '${process.execPath}' '${bundle}' "$@" ;; esac
echo "$*" >> '${called}'
`;
writeFileSync(join(bin, "arc-primer"), program, { mode: 0o755 });
writeFileSync(
  join(folder, ".zshrc"),
  "PS1='ready> '; autoload -Uz compinit; compinit -u -D; source <(arc-primer completion zsh)\n",
);
afterAll(() => rmSync(folder, { recursive: true }));

const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, HOME: folder, ZDOTDIR: folder };

/**
 * Types lines into an interactive shell, each at its prompt.
 *
 * @returns the arguments of each call of the program
 */
async function type(shell: string, lines: readonly string[]): Promise<string[]> {
  writeFileSync(called, "");
  const child = spawn("script", ["-qec", shell, "/dev/null"], { cwd: work, env });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  for (const [index, line] of [...lines, "exit"].entries()) {
    await vi.waitFor(() => expect(output.split("ready> ").length).toBeGreaterThan(index + 1), 30_000);
    child.stdin.write(`${line}\n`);
  }
  await ended;
  return readFileSync(called, "utf8").trim().split("\n");
}

const typed = [
  "arc-primer ren\tpri\t--conf\tpri\t-o pa\t",
  "arc-primer config ch\t--res\tfol\t",
  "arc-primer serve --log-level de\t--host pri\t",
];
const completed = [
  "render primer.yaml --config primer.yaml -o patch",
  expect.stringMatching(/^config check --resolved folder\/?$/),
  "serve --log-level debug --host pri",
];

describe.runIf(haveTools("bash", "script"))("bash", { timeout: 90_000 }, () => {
  const bash = "env PS1='ready> ' bash --norc --noprofile -i";

  test("completes subcommands, options, their values and files, but no files where others are expected", async () => {
    const lines = ["source <(arc-primer completion bash)", ...typed, "arc-primer render --config=pri\t"];
    expect(await type(bash, lines)).toEqual([...completed, "render --config=primer.yaml"]);
  });

  test("loads the script twice without output, with source and with eval", () => {
    const twice = 'source <(arc-primer completion bash); eval "$(arc-primer completion bash)"; complete -p arc-primer';
    const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-c", twice], { env, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe("complete -o default -F __arc_primer_complete arc-primer\n");
  });
});

describe.runIf(haveTools("zsh", "script"))("zsh", { timeout: 90_000 }, () => {
  test("completes the same lines", async () => expect(await type("zsh -d -i", typed)).toEqual(completed));
});

describe.runIf(haveTools("fish"))("fish", () => {
  const offered = (line: string) => {
    const ask = "arc-primer completion fish | source; complete -C $argv[1]";
    const { stdout } = spawnSync("fish", ["--no-config", "-c", ask, line], { cwd: work, env, encoding: "utf8" });
    return stdout.split("\n").map((one) => one.split("\t")[0]);
  };

  test.each([
    ["arc-primer ren", "render"],
    ["arc-primer render pri", "primer.yaml"],
    ["arc-primer render --config pri", "primer.yaml"],
    ["arc-primer render -o pa", "patch"],
    ["arc-primer config check --res", "--resolved"],
    ["arc-primer serve --host pri", ""],
  ])("completes %j to %j", (line, to) => expect(offered(line)[0]).toBe(to));
});

test("an unsupported shell is rejected", () => {
  const { status, stderr } = spawnSync(process.execPath, [bundle, "completion", "ksh"], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("Allowed choices are bash, zsh, fish");
});
