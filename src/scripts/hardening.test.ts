import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeDaemon } from "../../test/support/fake-daemon.ts";
import { shells, workspace } from "../../test/support/script.ts";
import { haveTools } from "../../test/support/tools.ts";
import { scripts } from "./index.ts";

// Edge cases that pods and images may contain, under each shell: hanging programs, unusual files and variables.

const { root, folder } = workspace();
const here = shells.filter(([name]) => haveTools(name as "dash" | "bash" | "busybox"));

/** A directory to prepend to PATH, with these shell scripts as programs. */
function programs(texts: Record<string, string>): string {
  const path = folder();
  for (const [name, text] of Object.entries(texts))
    writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Runs a script and sends TERM after `term` milliseconds. Processes that it leaves behind are killed. */
async function run(
  shell: readonly string[],
  name: keyof typeof scripts,
  words: readonly string[],
  options: { env?: Record<string, string>; path?: string; command?: string[]; term?: number } = {},
): Promise<Ran> {
  const [program = "", ...first] = shell;
  const path = [options.path, process.env["PATH"]].filter(Boolean).join(":");
  const command = options.command ?? ["echo", "started"];
  const started = performance.now();
  const child = spawn(program, [...first, "-c", scripts[name], "arc-primer-test", ...words, "--", ...command], {
    env: { PATH: path, TMPDIR: root, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  if (options.term !== undefined) setTimeout(() => child.kill("SIGTERM"), options.term);
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  const seconds = (performance.now() - started) / 1000;
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // no process is left
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { code, stdout, stderr, seconds };
}

const wait = (timeout: number) => [`timeout=${timeout}`, "interval=0.05", "exit-code=42", "on-timeout=fail"];
const wrappers = [
  "wait-for-docker.sh",
  "place-files.sh",
  "docker-credentials.sh",
  "docker-proxies.sh",
  "hold-docker.sh",
  "apply-packages.sh",
] as const;

test("all wrappers execute the command with the same code", () => {
  const blocks = wrappers.map((name) => /\nbecome\(\) \{\n[^]*?\n\}\n/.exec(scripts[name])?.[0]);
  expect(new Set(blocks).size).toBe(1);
  expect(blocks[0]).toContain("exec");
});

/** Settings with which each wrapper fails immediately and starts the command. */
function failingSettings(name: (typeof wrappers)[number]): string[] {
  if (name === "place-files.sh") return [];
  const waiting = wait(1).map((word) => word.replace("on-timeout=fail", "on-timeout=start"));
  return [...waiting, "directory=/nowhere", "on-failure=warn", "secret=none", `file=${join(folder(), "pipe")}`];
}

describe.each(here)("under %s", (_name, shell) => {
  test.each(wrappers)("%s passes on variables with any name", async (name) => {
    const unusual = { "my.var": "one\ntwo\n\n", "my-var": "a=b c", "9lives": "", plain: "x" };
    const env = { ...unusual, DOCKER_HOST: "tcp://127.0.0.1:1", HOME: folder() };
    const script =
      "const { PATH, TMPDIR, HOME, DOCKER_HOST, PWD, OLDPWD, SHLVL, _, ...rest } = process.env; console.log(JSON.stringify(rest))";
    const { stdout } = await run(shell, name, failingSettings(name), {
      env,
      command: [process.execPath, "-e", script],
    });
    expect(JSON.parse(stdout)).toEqual(unusual);
  });

  test.each(wrappers)("%s: a command that is not executable is reported with the same failure code", async (name) => {
    const file = join(folder(), "run.sh");
    writeFileSync(file, "#!/bin/sh\n", { mode: 0o644 });
    const env = { DOCKER_HOST: "tcp://127.0.0.1:1", HOME: folder() };
    const { code, stderr } = await run(shell, name, failingSettings(name), { env, command: [file] });
    expect(code).toBe(126);
    expect(stderr).toContain(
      `arc-primer: failed: command-missing: ${file} was not found in this container or is not executable`,
    );
  });

  test.each(wrappers)("%s: a missing command is reported with its own failure code", async (name) => {
    const env = { DOCKER_HOST: "tcp://127.0.0.1:1", HOME: folder() };
    const { code, stderr } = await run(shell, name, failingSettings(name), {
      env,
      command: ["/home/runner/no-such.sh"],
    });
    expect(code).toBe(127);
    expect(stderr).toMatch(
      /^arc-primer: failed: command-missing: \/home\/runner\/no-such\.sh was not found in this container.*\n.*(not found|No such file).*\n$/m,
    );
  });

  describe("wait-for-docker.sh", () => {
    const docker = (text: string) => programs({ docker: text });
    const configWarning =
      "WARNING: Error loading config file: open /home/runner/.docker/config.json: permission denied";
    const sshError =
      'error during connect: Get "http://docker.example.com/v1.51/version": command [ssh -- host docker system dial-stdio] has exited with exit status 255, make sure the URL is valid: stderr=user@host: Permission denied (publickey).';

    test.each<[string, string, string]>([
      [
        "a config file that cannot be read",
        `${configWarning}\nCannot connect to the Docker daemon at tcp://h:1. Is it running?`,
        "tcp://h:1",
      ],
      ["a proxy's 503", "Error response from daemon: no healthy upstream", "tcp://h:1"],
      ["a proxy's 502", "Error response from daemon: <html><title>502 Bad Gateway</title></html>", "tcp://h:1"],
      ["ssh without a key", sshError, "ssh://host"],
    ])("%s does not count as a running daemon", async (_what, said, host) => {
      const path = docker(`cat >&2 << 'END'\n${said}\nEND\nexit 1`);
      const { code, stdout, stderr } = await run(shell, "wait-for-docker.sh", wait(1), {
        path,
        env: { DOCKER_HOST: host },
      });
      expect({ code, stdout }).toEqual({ code: 42, stdout: "" });
      expect(stderr).not.toContain("WARNING");
    });

    test.each<[string, string]>([
      ["access denied by a plugin", "Error response from daemon: authorization denied by plugin opa"],
      [
        "an incompatible API version",
        "Error response from daemon: client version 1.99 is too new. Maximum supported API version is 1.41",
      ],
      [
        "access to the socket denied",
        `${configWarning}\npermission denied while trying to connect to the docker API at unix:///x`,
      ],
    ])("an error from a running daemon ends the wait: %s", async (_what, said) => {
      const path = docker(`cat >&2 << 'END'\n${said}\nEND\nexit 1`);
      const ran = await run(shell, "wait-for-docker.sh", wait(3), { path, env: { DOCKER_HOST: "tcp://h:1" } });
      expect(ran).toMatchObject({ code: 0, stdout: "started\n" });
      expect(ran.seconds).toBeLessThan(2.5);
    });

    test.runIf(haveTools("curl"))(
      "a proxy's 503 does not count as a running daemon, with the real client and with curl",
      async () => {
        const server = createServer((_request, response) => response.writeHead(503).end("no healthy upstream"));
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const env = { DOCKER_HOST: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` };
        expect(await run(shell, "wait-for-docker.sh", wait(1), { env })).toMatchObject({ code: 42, stdout: "" });
        server.close();
      },
    );

    test("a wrapper around docker cannot block the timeout", async () => {
      const daemon = await fakeDaemon({}, "hangs");
      const path = docker("sleep 30");
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${daemon.port}` };
      const { code, seconds } = await run(shell, "wait-for-docker.sh", wait(1), { path, env });
      expect(code).toBe(42);
      expect(seconds).toBeLessThan(5);
      await daemon.close();
    });

    test("TERM ends the script immediately, even if docker hangs", async () => {
      const path = docker("trap '' TERM; sleep 30 & wait");
      const ran = await run(shell, "wait-for-docker.sh", wait(20), {
        path,
        env: { DOCKER_HOST: "tcp://h:1" },
        term: 500,
      });
      expect(ran.code).toBe(143);
      expect(ran.seconds).toBeLessThan(3);
    });

    test.each<[string, Record<string, string>]>([
      ["DOCKER_CONTEXT", { DOCKER_CONTEXT: "remote" }],
      ["the current context", {}],
    ])("%s determines the address of Docker", async (_what, env) => {
      const home = folder();
      mkdirSync(join(home, ".docker"));
      writeFileSync(join(home, ".docker/config.json"), '{\n\t"auths": {},\n\t"currentContext": "remote"\n}');
      const ran = await run(shell, "wait-for-docker.sh", wait(1), {
        path: docker("exit 0"),
        env: { HOME: home, ...env },
      });
      expect(ran).toMatchObject({ code: 0, stdout: "started\n" });
      const away = await run(shell, "wait-for-docker.sh", wait(1), {
        path: docker("exit 1"),
        env: { HOME: home, ...env },
      });
      expect(away).toMatchObject({ code: 42, stderr: expect.stringContaining("Docker at the context remote") });
    });
  });

  describe("docker-credentials.sh", () => {
    test("never waits for the guard process of the timeout, however fast the work is done", async () => {
      const runs = Array.from({ length: 60 }, async () =>
        run(shell, "docker-credentials.sh", ["file=/nowhere", "secret=none"], { command: ["true"] }),
      );
      const seconds = (await Promise.all(runs)).map((ran) => ran.seconds);
      expect(Math.max(...seconds)).toBeLessThan(15); // the limit is 20
    });

    test("does not wait for the guard process in a container that ignores HUP", async () => {
      const ignoring = ["dash", "-c", 'trap "" HUP; exec "$@"', "dash", ...shell];
      const { seconds } = await run(ignoring, "docker-credentials.sh", ["file=/nowhere", "secret=none"], {
        command: ["true"],
      });
      expect(seconds).toBeLessThan(15); // the limit is 20
    });

    const secret = () => {
      const file = join(folder(), ".dockerconfigjson");
      writeFileSync(file, '{"auths":{"a.example.com":{"auth":"c2VjcmV0"}}}');
      return [`file=${file}`, "secret=team"];
    };
    const homeWith = (make: (config: string) => void) => {
      const home = folder();
      mkdirSync(join(home, ".docker"));
      make(join(home, ".docker/config.json"));
      return home;
    };

    test("TERM ends a jq that hangs", async () => {
      const HOME = homeWith((config) => writeFileSync(config, "{}"));
      const path = programs({ jq: "sleep 30" });
      const ran = await run(shell, "docker-credentials.sh", secret(), { env: { HOME }, path, term: 500 });
      expect(ran).toMatchObject({ code: 143, stdout: "" });
      expect(ran.seconds).toBeLessThan(3);
    });

    test("does not wait for a jq that hangs", { timeout: 30_000 }, async () => {
      const HOME = homeWith((config) => writeFileSync(config, "{}"));
      const path = programs({ jq: "/bin/sleep 30", sleep: 'exec /bin/sleep "$(($1 / 10))"' });
      const ran = await run(shell, "docker-credentials.sh", secret(), { env: { HOME }, path });
      expect(ran).toMatchObject({
        code: 0,
        stdout: "started\n",
        stderr: expect.stringContaining("adding the logins took longer than 20 s"),
      });
      expect(readFileSync(join(HOME, ".docker/config.json"), "utf8")).toBe("{}");
    });

    test("a config that is a symlink stays a symlink", async () => {
      const target = join(folder(), "real.json");
      writeFileSync(target, '{"auths":{}}');
      const HOME = homeWith((config) => symlinkSync(target, config));
      expect(await run(shell, "docker-credentials.sh", secret(), { env: { HOME } })).toMatchObject({ code: 0 });
      expect(lstatSync(join(HOME, ".docker/config.json")).isSymbolicLink()).toBe(true);
      expect(readFileSync(target, "utf8")).toContain("a.example.com");
    });

    test("a config that is a pipe stays a pipe, and the job starts", async () => {
      const HOME = homeWith((config) => spawnSync("mkfifo", [config]));
      const ran = await run(shell, "docker-credentials.sh", secret(), { env: { HOME } });
      expect(ran).toMatchObject({
        code: 0,
        stdout: "started\n",
        stderr: expect.stringContaining("is not a regular file"),
      });
      expect(lstatSync(join(HOME, ".docker/config.json")).isFIFO()).toBe(true);
    });

    test("without HOME the job starts", async () => {
      expect(await run(shell, "docker-credentials.sh", secret())).toMatchObject({ code: 0, stdout: "started\n" });
    });
  });

  describe("place-files.sh", () => {
    const pem = () => {
      const file = join(folder(), "ca.pem");
      writeFileSync(file, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
      return file;
    };
    const hangs = { "update-ca-certificates": "/bin/sleep 30", id: "echo 1001", sudo: "/bin/sleep 30" };

    test("TERM ends a sudo that hangs", async () => {
      const ran = await run(shell, "place-files.sh", ["trust", pem()], { path: programs(hangs), term: 500 });
      expect(ran).toMatchObject({ code: 143, stdout: "" });
      expect(ran.seconds).toBeLessThan(3);
    });

    test("does not wait for a sudo that hangs", { timeout: 30_000 }, async () => {
      const path = programs({ ...hangs, sleep: 'exec /bin/sleep "$(($1 / 30))"' });
      const ran = await run(shell, "place-files.sh", ["trust", pem()], { path });
      expect(ran).toMatchObject({
        code: 0,
        stdout: "started\n",
        stderr: expect.stringContaining("trust store took longer than 60 s"),
      });
    });

    test("if NODE_EXTRA_CA_CERTS is a pipe, it is not read", async () => {
      const pipe = join(folder(), "pipe");
      spawnSync("mkfifo", [pipe]);
      const file = pem();
      const command = ["sh", "-c", 'echo "$NODE_EXTRA_CA_CERTS"'];
      const ran = await run(shell, "place-files.sh", ["trust-in-node", file], {
        env: { NODE_EXTRA_CA_CERTS: pipe },
        command,
      });
      expect(ran).toMatchObject({ code: 0, stdout: `${file}\n` });
    });
  });

  test("hold-docker.sh keeps the pipe open even if the command uses low file descriptors", async () => {
    const pipe = join(folder(), "pipe");
    const command = [
      "bash",
      "-c",
      `for n in 3 4 5 6 7 8 9; do eval "exec $n> /dev/null"; done; for fd in /proc/$$/fd/*; do readlink "$fd"; done`,
    ];
    const { stdout } = await run(shell, "hold-docker.sh", [`file=${pipe}`], { command });
    expect(stdout.split("\n")).toContain(pipe);
    expect(existsSync(pipe)).toBe(true);
  });

  test("apply-packages.sh works without /proc/uptime", () => {
    const text = scripts["apply-packages.sh"].replace("/proc/uptime", "/nowhere/uptime");
    const now = /\nnow\(\) \{\n[^]*?\n\}\n/.exec(text)?.[0];
    const [program = "", ...first] = shell;
    const ran = spawnSync(program, [...first, "-c", `${now}now; echo $((now > 0))`], { encoding: "utf8" });
    expect({ stdout: ran.stdout, stderr: ran.stderr }).toEqual({ stdout: "1\n", stderr: "" });
  });
});
