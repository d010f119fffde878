import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { notUp, up } from "../../test/support/docker-29-errors.ts";
import { fakeDaemon } from "../../test/support/fake-daemon.ts";
import { allShells, workspace } from "../../test/support/script.ts";
import { findTool, haveTools } from "../../test/support/tools.ts";
import { jobVariables } from "../../test/support/variables.ts";
import { selfSigned } from "../tls/certificate.ts";
import script from "./wait-for-docker.sh";

// Runs the script as in pods: under each shell, with real clients, against a daemon's socket.

const { folder, pathWith } = workspace();
const cleanups: (() => unknown)[] = []; // at the end, not per test: the tests run side by side
afterAll(() => Promise.all(cleanups.map((cleanup) => cleanup())));

/** A `sleep` that supports only whole seconds. */
const wholeSecondSleep: [name: string, script: string] = [
  "sleep",
  `case $1 in *[!0-9]*) echo "sleep: invalid number '$1'" >&2; exit 1;; esac\nexec ${findTool("sleep")} "$1"`,
];

interface Run {
  exit: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string; seconds: number }>;
  kill: (signal: NodeJS.Signals) => void;
  pid: number;
}

function run(
  shell: readonly string[],
  options: { env?: Record<string, string>; settings?: Record<string, string>; command?: string[]; uid?: number },
): Run {
  const settings = { timeout: "5", interval: "0.05", "exit-code": "42", "on-timeout": "fail", ...options.settings };
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const [program = "", ...first] = shell;
  const command = options.command ?? [findTool("dash")!, "-c", "echo started"];
  const args = [...first, "-c", script, "arc-primer-wait", ...words, "--", ...command];
  const started = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: pathWith("sleep", "docker"), ...options.env },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  cleanups.push(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  return {
    pid: child.pid!,
    kill: (signal) => child.kill(signal),
    exit: new Promise((resolve) => {
      // "exit", not "close": it matters when process 1 has exited, even if another process still holds its output open.
      const closed = once(child, "close");
      child.once("exit", async (code, signal) => {
        const seconds = (performance.now() - started) / 1000;
        await Promise.race([closed, sleep(1000)]);
        resolve({ code, signal, stdout, stderr, seconds });
      });
    }),
  };
}

async function daemonAt(socket: string, behaviour?: Parameters<typeof fakeDaemon>[1]) {
  const daemon = await fakeDaemon({ socket }, behaviour);
  cleanups.push(() => daemon.close());
  return daemon;
}

function unix(): { socket: string; env: Record<string, string> } {
  const socket = join(folder(), "docker.sock");
  return { socket, env: { DOCKER_HOST: `unix://${socket}` } };
}

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);
describe.runIf(haveTools("dash", "bash", "busybox", "curl", "docker"))("wait-for-docker.sh", () => {
  describe.concurrent.each(allShells)("under %s", (_name, sh) => {
    test("if the externals exist, the command starts", async () => {
      const { socket, env } = unix();
      await daemonAt(socket);
      const externals = folder();
      mkdirSync(join(externals, "node24"));
      const { code, stdout, stderr } = await run(sh, { env, settings: { externals } }).exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).not.toContain("externals");
    });

    test.each(["an empty directory", "missing"])(
      "if the externals are %s, one line says so, and the runner is not started",
      async (what) => {
        const { socket, env } = unix();
        await daemonAt(socket);
        const externals = what === "missing" ? join(folder(), "nowhere") : folder();
        const { code, stdout, stderr } = await run(sh, { env, settings: { externals } }).exit;
        expect({ code, stdout }).toEqual({ code: 42, stdout: "" });
        expect(stderr.match(/the runner's externals are missing: /g)).toHaveLength(1);
        expect(lastLine(stderr)).toMatch(
          /^arc-primer: failed: externals-missing: the runner's externals are missing: /,
        );
        const start = run(sh, { env, settings: { externals, "on-timeout": "start" } });
        expect(await start.exit).toMatchObject({
          code: 0,
          stdout: "started\n",
          stderr: expect.stringContaining("externals are missing"),
        });
      },
    );

    test("the command's environment variables are not changed, whatever their names", async () => {
      const { socket, env } = unix();
      await daemonAt(socket);
      const own = jobVariables(script);
      expect(Object.keys(own)).toEqual(expect.arrayContaining(["timeout", "host", "client", "status", "uptime"]));
      const { code, stdout } = await run(sh, { env: { ...own, ...env }, command: [findTool("env")!] }).exit;
      expect(code).toBe(0);
      for (const [name, value] of Object.entries(own)) expect(stdout).toContain(`${name}=${value}\n`);
    });

    test.each([["docker"], ["curl"]])("Docker is ready at once, checked with %s", async (client) => {
      const { socket, env } = unix();
      const daemon = await daemonAt(socket);
      const { code, stdout, stderr } = await run(sh, { env: { ...env, PATH: pathWith("sleep", client) } }).exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).toMatch(/^arc-primer: ready to start after \d+\.\d\d s\n$/);
      expect(daemon.requests).not.toEqual([]);
    });

    test("with neither docker nor curl, only the socket is checked, and the log says so", async () => {
      const { socket, env } = unix();
      await daemonAt(socket, "hangs");
      const { code, stderr } = await run(sh, { env: { ...env, PATH: pathWith("sleep") } }).exit;
      expect(code).toBe(0);
      expect(stderr).toContain("this image has neither docker nor curl");
    });

    test("the socket appears later, and the daemon responds even later", async () => {
      const { socket, env } = unix();
      const wait = run(sh, { env });
      await sleep(400);
      const daemon = await daemonAt(socket, "hangs");
      await sleep(400);
      daemon.behaviour = "answers";
      await daemon.close();
      await daemonAt(socket);
      const { code, stderr } = await wait.exit;
      expect(code).toBe(0);
      expect(stderr).toMatch(/waiting for Docker at unix:.*docker\.sock, at most 5 s\n/);
      expect(stderr).toMatch(/ready to start after \d+\.\d\d s/);
    });

    test("Docker never becomes available: exit 42 in time, with the reason, and nothing is started", async () => {
      const { env, socket } = unix();
      const { code, stdout, stderr, seconds } = await run(sh, { env, settings: { timeout: "1" } }).exit;
      expect({ code, stdout }).toEqual({ code: 42, stdout: "" });
      expect(lastLine(stderr)).toBe(
        `arc-primer: failed: docker-timeout: Docker at unix://${socket} did not respond within 1 s; last error: the socket ${socket} does not exist`,
      );
      expect(seconds).toBeGreaterThan(1);
      expect(seconds).toBeLessThan(4);
    });

    test.each([["docker"], ["curl"]])(
      "a daemon that accepts the connection and never responds, checked with %s",
      async (client) => {
        const { socket, env } = unix();
        await daemonAt(socket, "hangs");
        const settings = { timeout: "1", "exit-code": "9" };
        const { code, stderr, seconds } = await run(sh, { env: { ...env, PATH: pathWith("sleep", client) }, settings })
          .exit;
        expect(code).toBe(9);
        expect(stderr).toContain("the daemon accepted the connection but did not respond within 1 s");
        expect(seconds).toBeLessThan(5);
      },
    );

    test("the docker client's last error is printed completely", async () => {
      const { socket, env } = unix();
      // A stale socket, left over by a daemon that was killed.
      const listener = spawnSync(process.execPath, [
        "-e",
        `const s = require("net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`,
      ]);
      expect(listener.signal).toBe("SIGKILL");
      const { code, stderr } = await run(sh, { env, settings: { timeout: "1" } }).exit;
      expect(code).toBe(42);
      expect(lastLine(stderr)).toMatch(
        /^arc-primer: failed: docker-timeout: .* last error: .*(Cannot connect to the Docker daemon|failed to connect to the docker API)/,
      );
    });

    test("on-timeout=start starts the command anyway", async () => {
      const { env } = unix();
      const settings = { timeout: "1", "on-timeout": "start" };
      const { code, stdout, stderr } = await run(sh, { env, settings }).exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).toContain("starting the runner anyway");
      expect(stderr).not.toContain("failed:");
    });

    test.each<[string, NodeJS.Signals, number, string | undefined]>([
      ["no socket", "SIGTERM", 143, undefined],
      ["no socket", "SIGINT", 130, undefined],
      ["a daemon that never responds, docker", "SIGTERM", 143, "docker"],
      ["a daemon that never responds, curl", "SIGTERM", 143, "curl"],
    ])("%s: %s ends the script immediately", async (_what, signal, expected, client) => {
      const { socket, env } = unix();
      if (client) await daemonAt(socket, "hangs");
      const wait = run(sh, {
        env: { ...env, PATH: pathWith("sleep", ...(client ? [client] : [])) },
        settings: { timeout: "60" },
      });
      await sleep(500);
      const sent = performance.now();
      wait.kill(signal);
      const { code, stdout, stderr } = await wait.exit;
      expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
      expect(performance.now() - sent).toBeLessThan(2000);
      expect(stderr).toContain("stopped by a signal while waiting for Docker");
    });

    test("a `sleep` without support for fractions", async () => {
      const { socket, env } = unix();
      const wait = run(sh, { env: { ...env, PATH: pathWith(wholeSecondSleep, "docker") } });
      await sleep(300);
      await daemonAt(socket);
      const { code, stderr } = await wait.exit;
      expect(code).toBe(0);
      expect(stderr.match(/sleep does not support fractions/g)).toHaveLength(1);
    });

    test("permission denied means that the daemon is running: it is logged, and the command starts", async () => {
      const { socket, env } = unix();
      await daemonAt(socket);
      chmodSync(socket, 0o600);
      const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};
      if (!("uid" in uid)) chmodSync(socket, 0);
      const { code, stdout, stderr } = await run(sh, { env, ...uid }).exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).toContain(`permission denied at ${socket}`);
      expect(stderr).toContain("sudo");
    });

    test("permission denied for only a moment, as between dockerd's listen and chown, is not final", async () => {
      const { socket, env } = unix();
      const daemon = await daemonAt(socket, "answers");
      chmodSync(socket, 0);
      const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};
      const wait = run(sh, { env, ...uid, settings: { interval: "1" } });
      await sleep(500);
      chmodSync(socket, 0o666);
      const { code, stderr } = await wait.exit;
      expect(code).toBe(0);
      expect(stderr).not.toContain("sudo");
      expect(daemon.requests).not.toEqual([]);
    });

    test("a daemon with an incompatible version is running: its error is logged, and the command starts", async () => {
      const { socket, env } = unix();
      await daemonAt(socket, "other-version");
      const { code, stdout, stderr } = await run(sh, { env }).exit;
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).toContain("client version 1.99 is too new");
    });

    test.each([["docker"], ["curl"]])("TCP without TLS, bypassing any proxy, checked with %s", async (client) => {
      const daemon = await fakeDaemon({});
      cleanups.push(() => daemon.close());
      const env = {
        DOCKER_HOST: `tcp://localhost:${daemon.port}`,
        http_proxy: "http://localhost:1",
        PATH: pathWith("sleep", client),
      };
      expect((await run(sh, { env }).exit).code).toBe(0);
      expect(daemon.requests).not.toEqual([]);
    });

    test.each([["docker"], ["curl"]])(
      "TCP with TLS, whose certificates are created after the start, checked with %s",
      async (client) => {
        const now = Date.now();
        const issued = await selfSigned(["localhost"], { from: new Date(now - 60_000), to: new Date(now + 3_600_000) });
        const daemon = await fakeDaemon({ tls: issued });
        cleanups.push(() => daemon.close());
        const certificates = folder();
        const wait = run(sh, {
          env: {
            DOCKER_HOST: `tcp://localhost:${daemon.port}`,
            DOCKER_TLS_VERIFY: "1",
            DOCKER_CERT_PATH: certificates,
            PATH: pathWith("sleep", client),
          },
        });
        await sleep(300);
        writeFileSync(join(certificates, "cert.pem"), issued.cert);
        writeFileSync(join(certificates, "key.pem"), issued.key);
        await sleep(200);
        writeFileSync(join(certificates, "ca.pem"), issued.cert);
        const { code, stderr } = await wait.exit;
        expect(code).toBe(0);
        expect(stderr).toMatch(/waiting for Docker at tcp:/);
        expect(stderr).not.toContain("rejects this client");
        expect(daemon.requests).not.toEqual([]);
      },
    );

    test.each([["docker"], ["curl"]])(
      "a TLS error means that the daemon is running, checked with %s",
      async (client) => {
        const now = Date.now();
        const span = { from: new Date(now - 60_000), to: new Date(now + 3_600_000) };
        const [served, trusted] = [await selfSigned(["localhost"], span), await selfSigned(["localhost"], span)];
        const daemon = await fakeDaemon({ tls: served });
        cleanups.push(() => daemon.close());
        const certificates = folder();
        writeFileSync(join(certificates, "cert.pem"), trusted.cert);
        writeFileSync(join(certificates, "key.pem"), trusted.key);
        writeFileSync(join(certificates, "ca.pem"), trusted.cert);
        const env = {
          DOCKER_HOST: `tcp://localhost:${daemon.port}`,
          DOCKER_TLS_VERIFY: "1",
          DOCKER_CERT_PATH: certificates,
          PATH: pathWith("sleep", client),
        };
        const { code, stderr } = await run(sh, { env }).exit;
        expect(code).toBe(0);
        expect(stderr).toMatch(/starting the runner\. The error:\n.*certificate/s);
      },
    );

    /** Runs the wait with a docker client that only prints this text. */
    const withClient = async (body: string) => {
      const path = pathWith("sleep");
      writeFileSync(join(path, "docker"), `#!${findTool("dash")}\n${body}\n`, { mode: 0o755 });
      const env = { DOCKER_HOST: "tcp://localhost:1", PATH: path };
      return run(sh, { env, settings: { timeout: "1" } }).exit;
    };
    const client = (text: string) => `${findTool("cat")} >&2 << 'END'\n${text}\nEND\nexit 1`;

    test.each(notUp)("waits, and reports the error at the end: Docker 29, $situation", async ({ text }) => {
      const { code, stdout, stderr } = await withClient(client(text));
      expect({ code, stdout }).toEqual({ code: 42, stdout: "" });
      expect(stderr).toContain(`last error: ${text.trim()}\n`);
    });

    test.each(up)("logs the error and starts the command: Docker 29, $situation", async ({ text }) => {
      const { code, stdout, stderr } = await withClient(client(text));
      expect({ code, stdout }).toEqual({ code: 0, stdout: "started\n" });
      expect(stderr).toContain(`waiting does not help; starting the runner. The error:\n${text.trim()}\n`);
    });

    test("a client that hangs without output, as Docker 29 does if a name does not resolve", async () => {
      const { code, stderr, seconds } = await withClient("exec sleep 20");
      expect(code).toBe(42);
      expect(stderr).toContain("did not respond within 1 s");
      expect(seconds).toBeLessThan(5);
    });

    test("without a client, a TCP daemon cannot be checked", async () => {
      const env = { DOCKER_HOST: "tcp://localhost:1", PATH: pathWith("sleep") };
      const { code, stderr } = await run(sh, { env }).exit;
      expect(code).toBe(0);
      expect(stderr).toContain("no client that can check whether Docker is running at tcp://localhost:1");
    });

    test("without DOCKER_HOST, the address is /var/run/docker.sock", async () => {
      const { stderr } = await run(sh, { settings: { timeout: "1" } }).exit;
      expect(stderr).toContain("unix:///var/run/docker.sock");
    });

    test("executes the command: same process, same arguments, its exit code, no children left behind", async () => {
      const { socket, env } = unix();
      const words = ["two words", "$(date) $$ $HOME", "", "*", "--", "it's"];
      const report = 'cat /proc/$$/task/$$/children; printf "%s|" "$$" "$@"; exit 3';
      const wait = run(sh, {
        env: { ...env, PATH: pathWith("sleep", "docker", "cat") },
        command: [findTool("dash")!, "-c", report, "zero", ...words],
      });
      await sleep(200);
      await daemonAt(socket);
      const { code, stdout } = await wait.exit;
      // The only child is `cat` itself.
      const [pid, ...rest] = stdout.replace(/^\d+ /, "").split("|");
      expect({ code, pid, rest: rest.slice(0, -1) }).toEqual({ code: 3, pid: String(wait.pid), rest: words });
    });
  });
});
