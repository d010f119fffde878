import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { allShells, workspace } from "../../test/support/script.ts";
import { findTool, haveTools } from "../../test/support/tools.ts";
import { jobVariables } from "../../test/support/variables.ts";
import awaitRunner from "./await-runner.sh";
import holdDocker from "./hold-docker.sh";

// Tests two scripts that work together: one keeps a pipe open in the runner container, and dockerd's preStop hook waits
// until it is closed.

const { folder } = workspace();
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});
function start(program: readonly string[], args: readonly string[], path?: string, env: Record<string, string> = {}) {
  const child = spawn(program[0]!, [...program.slice(1), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(path !== undefined && { env: { PATH: path, ...env } }),
  });
  children.push(child);
  const run = { child, stderr: "", stdout: "", over: false, exit: undefined as unknown as Promise<number | null> };
  child.stdout.on("data", (text: Buffer) => (run.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (run.stderr += text.toString()));
  run.exit = new Promise((resolve) => {
    child.once("close", (code) => {
      run.over = true;
      resolve(code);
    });
  });
  return run;
}

async function until(what: () => boolean): Promise<void> {
  for (let round = 0; !what(); round += 1) {
    if (round > 250) throw new Error(`not true within 5 s: ${what.toString()}`);
    await sleep(20);
  }
}

describe.runIf(haveTools("dash", "bash", "busybox"))("hold-docker.sh and await-runner.sh", () => {
  describe.concurrent.each(allShells)("under %s", (_name, sh) => {
    const hold = (file: string, command: string[], path?: string, env?: Record<string, string>) =>
      start(sh, ["-c", holdDocker, "arc-primer-hold", `file=${file}`, "--", ...command], path, env);
    /** The hook needs only the shell. */
    const hook = (file: string) => start(sh, ["-c", awaitRunner, "arc-primer-hold", file], folder());

    test.each(["SIGTERM", "SIGKILL"] as const)("the hook returns when the runner is stopped by %s", async (signal) => {
      const file = join(folder(), "runner");
      const runner = hold(file, [findTool("dash")!, "-c", "echo started; exec sleep 30"]);
      await until(() => runner.stdout.includes("started") || runner.over);
      const waiting = hook(file);
      await sleep(300);
      expect(waiting.over).toBe(false);
      runner.child.kill(signal);
      expect(await waiting.exit).toBe(0);
      expect({ stdout: waiting.stdout, stderr: waiting.stderr, runner: runner.stderr }).toEqual({
        stdout: "",
        stderr: "",
        runner: "",
      });
    });

    test("the hook returns at once if the runner has exited or never started", async () => {
      const file = join(folder(), "runner");
      expect(await hook(file).exit).toBe(0);
      expect(existsSync(file)).toBe(false);
      expect(await hold(file, [findTool("true")!]).exit).toBe(0);
      expect(await hook(file).exit).toBe(0);
    });

    test("the command keeps its arguments, process ID and exit code", async () => {
      const runner = hold(join(folder(), "runner"), [
        findTool("dash")!,
        "-c",
        'echo "$$ $*"; exit 7',
        "0",
        "two  words",
      ]);
      expect(await runner.exit).toBe(7);
      expect(runner.stdout).toBe(`${runner.child.pid} two  words\n`);
    });

    test("the command's environment variables are not changed, whatever their names", async () => {
      const own = jobVariables(holdDocker);
      expect(own).toHaveProperty("file");
      const runner = hold(join(folder(), "runner"), [findTool("env")!], process.env["PATH"], own);
      expect(await runner.exit).toBe(0);
      for (const [name, value] of Object.entries(own)) expect(runner.stdout).toContain(`${name}=${value}\n`);
    });

    test("without mkfifo or a writable directory, the log explains the effect, and the command is started", async () => {
      const echo = [findTool("echo")!, "started"];
      const without = hold(join(folder(), "runner"), echo, folder());
      expect(await without.exit).toBe(0);
      const nowhere = hold(join(folder(), "no/such"), echo);
      expect(await nowhere.exit).toBe(0);
      for (const { stdout, stderr } of [without, nowhere]) {
        expect(stdout).toBe("started\n");
        expect(stderr).toContain("dockerd will be stopped at the same time as the runner");
      }
    });
  });
});

// Runs as root in a separate container, like the init container.
describe.runIf(process.getuid?.() === 0 && haveTools("dash", "busybox"))("prepare-rootless.sh", () => {
  test.each([["dash"], ["busybox", "sh"]])(
    "under %s: the user gets a name, ID ranges and a home directory",
    async (...shell) => {
      const { default: script } = await import("./prepare-rootless.sh");
      const [etc, home] = [folder(), folder()];
      const sh = [findTool(shell[0]!)!, ...shell.slice(1)];
      const { status, stderr } = spawnSync(sh[0]!, [...sh.slice(1), "-c", script, "init", "1001", etc, home], {
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const last = (name: string) => readFileSync(join(etc, name), "utf8").trimEnd().split("\n").at(-1);
      expect(last("passwd")).toBe("runner:x:1001:1001:runner:/home/runner:/bin/sh");
      expect(last("group")).toBe("runner:x:1001:");
      expect([last("subuid"), last("subgid")]).toEqual(["runner:100000:65536", "runner:100000:65536"]);
      const { stdout } = spawnSync("stat", ["-c", "%u:%g %a", home, etc], { encoding: "utf8" });
      expect(stdout).toBe("1001:1001 755\n0:0 755\n");
    },
  );

  test.each([["dash"], ["busybox", "sh"]])("under %s: a failure is reported in the last line", async (...shell) => {
    const { default: script } = await import("./prepare-rootless.sh");
    const sh = [findTool(shell[0]!)!, ...shell.slice(1)];
    const words = ["init", "1001", join(folder(), "etc"), join(folder(), "no/such")]; // directories that do not exist
    const { status, stderr } = spawnSync(sh[0]!, [...sh.slice(1), "-c", script, ...words], { encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/\narc-primer: failed: rootless-not-prepared: .*\n$/);
  });
});
