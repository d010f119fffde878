import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { shells, workspace } from "../../test/support/script.ts";
import { haveTools } from "../../test/support/tools.ts";
import finishJob from "./finish-job.sh";

// Runs the preStop hook of the runner container with a directory that imitates /proc, and with real processes.

const files = workspace();

/** A directory that imitates /proc, in which the test starts and ends processes, and a runner's log directory. */
function machine() {
  const folder = files.folder();
  const proc = join(folder, "proc");
  const runner = join(folder, "runner");
  mkdirSync(proc, { recursive: true });
  mkdirSync(join(runner, "_diag"), { recursive: true });
  symlinkSync("/proc/uptime", join(proc, "uptime"));
  return {
    proc,
    begin(id: number, name: string, words: string[] = [name]) {
      mkdirSync(join(proc, String(id), "fd"), { recursive: true });
      writeFileSync(join(proc, `${id}/fd/2`), "");
      writeFileSync(join(proc, `${id}/cmdline`), [...words, ""].join("\0"));
      writeFileSync(join(proc, `${id}/comm`), `${name}\n`);
    },
    listen() {
      this.begin(1, "bash");
      this.begin(20, "Runner.Listener", [join(runner, "bin/Runner.Listener"), "run"]);
    },
    work() {
      this.begin(300, "Runner.Worker");
    },
    end: (id: number) => rmSync(join(proc, String(id)), { recursive: true }),
    log: (line: string) =>
      writeFileSync(join(runner, "_diag/Runner_20261126-031500-utc.log"), `${line}\n`, { flag: "a" }),
    /** The hook's lines in the container's log. */
    said: () => readFileSync(join(proc, "20/fd/2"), "utf8"),
  };
}

/** Starts the hook with that directory. 60 s are shortened to 2 s, and the poll interval of 5 s to 1 s. */
function hook(shell: string[], proc: string, seconds: number) {
  const script = finishJob
    .replaceAll("/proc/", `${proc}/`)
    .replace("-ge 60", "-ge 2")
    .replaceAll("left : 5", "left : 1")
    .replaceAll("left < 5", "left < 1");
  const [program = "", ...first] = shell;
  const began = performance.now();
  const child = spawn(program, [...first, "-c", script, "arc-primer-finish-job", `seconds=${seconds}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const run = {
    over: false,
    output: "",
    ended: undefined as unknown as Promise<{ code: number | null; seconds: number }>,
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (run.output += text.toString()));
  run.ended = new Promise((resolve) => {
    child.once("close", (code) => {
      run.over = true;
      resolve({ code, seconds: (performance.now() - began) / 1000 });
    });
  });
  return run;
}

/** A timestamp in the runner's format: 2026-11-26 03:15:00Z. */
const secondsAgo = (seconds: number) =>
  new Date(Date.now() - seconds * 1000).toISOString().replace("T", " ").replace(/\.\d+/, "");

describe.runIf(haveTools("dash", "bash", "busybox"))("finish-job.sh", () => {
  describe.concurrent.each(shells)("under %s", (_name, sh) => {
    test("for an idle runner, the hook returns within a second and logs nothing", async () => {
      const there = machine();
      there.listen();
      there.log("[… INFO Terminal] WRITE LINE: 2026-11-26 03:15:00Z: Listening for Jobs");
      const run = hook(sh, there.proc, 100);
      const { code, seconds } = await run.ended;
      expect({ code, output: run.output, said: there.said() }).toEqual({ code: 0, output: "", said: "" });
      expect(seconds).toBeLessThan(1.5); // of which 0.6 are the hook's, and the rest the machine's
    });

    test("does not wait for a runner that has not started or has exited", async () => {
      const there = machine();
      there.begin(1, "sh");
      const run = hook(sh, there.proc, 100);
      expect(await run.ended).toMatchObject({ code: 0 });
      expect(run.output).toBe("");
    });

    test("waits while a worker runs; when the time is over, it logs this and returns", async () => {
      const there = machine();
      there.listen();
      there.work();
      const run = hook(sh, there.proc, 3);
      await sleep(1500);
      expect(run.over).toBe(false);
      expect(there.said()).toBe(
        "arc-primer: this pod is being terminated while a job is running: waiting up to 3 s for the runner to exit\n",
      );
      const { code, seconds } = await run.ended;
      expect(code).toBe(0);
      expect(seconds).toBeGreaterThan(2);
      expect(there.said().split("\n").at(-2)).toMatch(
        /^arc-primer: failed: job-timeout: the job did not finish within 3 s/,
      );
    });

    test.each([
      ["the listener logs that it has a job", "log"],
      ["its worker starts", "work"],
    ] as const)("detects a job that starts a moment later: %s", async (_what, sign) => {
      const there = machine();
      there.listen();
      const run = hook(sh, there.proc, 100);
      await sleep(250);
      if (sign === "log") there.log("[… INFO Terminal] WRITE LINE: 2026-11-26 03:15:00Z: Running job: build");
      else there.work();
      await sleep(1500);
      expect(there.said()).toContain("while a job is running");
      // No worker for 2 s (60 s in production): the runner hangs, or the job never started.
      if (sign === "work") there.end(300);
      expect(await run.ended).toMatchObject({ code: 0 });
      expect(there.said().split("\n").at(-2)).toMatch(/^arc-primer: failed: runner-hangs: /);
    });

    test.each([
      ["MessageListener", "Message '1' received from session '5b2e'."],
      ["BrokerMessageListener", "Message '638' received."],
    ])("waits for a listener that is requesting a job from GitHub: %s", async (source, line) => {
      const there = machine();
      there.listen();
      there.log(`[${secondsAgo(2)} INFO ${source}] ${line}`);
      const run = hook(sh, there.proc, 100);
      await sleep(2500);
      expect(run.over).toBe(false);
      there.log("[… INFO Terminal] WRITE LINE: 2026-11-26 03:15:00Z: Running job: build");
      await sleep(1000);
      expect(there.said()).toContain("while a job is running");
      expect(await run.ended).toMatchObject({ code: 0 });
    });

    test.each([
      ["it was received long ago", [[600, "INFO MessageListener", "Message '1' received from session '5b2e'."]]],
      [
        "another runner has the job",
        [
          [2, "INFO MessageListener", "Message '1' received from session '5b2e'."],
          [1, "INFO Runner", "Skipping message Job. Job not found"],
        ],
      ],
      [
        "the request to GitHub failed",
        [
          [2, "INFO BrokerMessageListener", "Message '1' received."],
          [1, "ERR  Runner", "Caught exception from acquiring job message: timed out"],
        ],
      ],
    ] as const)("does not wait after a message that brings no job: %s", async (_what, lines) => {
      const there = machine();
      there.listen();
      for (const [ago, source, line] of lines) there.log(`[${secondsAgo(ago)} ${source}] ${line}`);
      const run = hook(sh, there.proc, 100);
      const { code, seconds } = await run.ended;
      expect({ code, output: run.output, said: there.said() }).toEqual({ code: 0, output: "", said: "" });
      expect(seconds).toBeLessThan(1.5);
    });

    test("stops waiting 15 s after a message without a job", async () => {
      const there = machine();
      there.listen();
      there.log(`[${secondsAgo(12)} INFO MessageListener] Message '1' received from session '5b2e'.`);
      const run = hook(sh, there.proc, 100);
      const { code, seconds } = await run.ended;
      expect({ code, output: run.output, said: there.said() }).toEqual({ code: 0, output: "", said: "" });
      expect(seconds).toBeGreaterThan(1.5);
      expect(seconds).toBeLessThan(6);
    });

    test("a listener whose log cannot be found counts as idle", async () => {
      const there = machine();
      there.begin(20, "Runner.Listener", ["./Runner.Listener", "run"]);
      const run = hook(sh, there.proc, 100);
      expect(await run.ended).toMatchObject({ code: 0 });
      expect(run.output).toBe("");
    });
  });
});

// As in a container: process 1 is the runner, and its exit also ends the hook.
const namespaces = process.getuid?.() === 0 && spawnSync("unshare", ["-pf", "--mount-proc", "true"]).status === 0;

describe.runIf(namespaces && haveTools("dash", "bash", "busybox")).each(shells)(
  "in a separate PID namespace, under %s",
  (_name, sh) => {
    test("the hook ends with the container, which has the runner's exit code", async () => {
      const folder = files.folder();
      mkdirSync(join(folder, "bin"), { recursive: true });
      const program = (name: string, text: string) =>
        writeFileSync(join(folder, "bin", name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
      program("Runner.Worker", "sleep 3; echo the job is done");
      program("Runner.Listener", 'sleep 0.5; "$(dirname "$0")/Runner.Worker"; echo the listener ends');
      // PID 1 starts the hook one second later, next to the runner, as the kubelet would.
      // Its stderr can be reopened, as in a container; Node's stderr would be a socket.
      const script = `exec 2> ${folder}/log; ("$@"; echo the hook has returned) & ${folder}/bin/Runner.Listener run; exit 5`;
      const words = ["-c", `sleep 1; shift; exec "$@"`, "delay", "--", ...sh, "-c", finishJob, "arc-primer-finish-job"];
      const { status, stdout } = spawnSync(
        "unshare",
        ["-pf", "--mount-proc", "bash", "-c", script, "run.sh", "bash", ...words, "seconds=60"],
        { encoding: "utf8", timeout: 20_000 },
      );
      expect({ status, stdout }).toEqual({ status: 5, stdout: "the job is done\nthe listener ends\n" });
      expect(readFileSync(join(folder, "log"), "utf8")).toContain("waiting up to 60 s for the runner to exit");
    });
  },
);
