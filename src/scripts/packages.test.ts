import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aptRepository } from "../../test/support/apt-repository.ts";
import type { AptRepository } from "../../test/support/apt-repository.ts";
import { Container, buildPackage, debianTree, filesOf } from "../../test/support/debian-tree.ts";
import type { DebianPackage, Ended, Started } from "../../test/support/debian-tree.ts";
import { haveTools } from "../../test/support/tools.ts";
import applyScript from "./apply-packages.sh";
import installScript from "./install-packages.sh";

// Runs both scripts with real apt, dpkg and sudo and a real repository, in containers whose root filesystems are overlays
// over an installation of Debian.

test.runIf(haveTools("shellcheck")).each(["install-packages.sh", "apply-packages.sh"])(
  "shellcheck finds nothing in %s",
  (name) => {
    const file = new URL(name, import.meta.url).pathname;
    const { stdout, status } = spawnSync("shellcheck", ["-s", "sh", "-S", "style", file], { encoding: "utf8" });
    expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
  },
);

/** The files of the runner's image. */
const installed: DebianPackage[] = [
  {
    name: "tool",
    fill: "mkdir -p usr/share/tool/docs usr/bin; echo one > usr/share/tool/data; echo 1 > usr/share/tool/gone; echo x > usr/share/tool/docs/x; echo tool > usr/bin/tool",
  },
  { name: "old-tool", fill: "mkdir -p usr/lib/old-tool/deep; echo old > usr/lib/old-tool/deep/file" },
];

const offered: DebianPackage[] = [
  {
    name: "hello",
    fill: `mkdir -p bin usr/bin usr/lib/hello/empty etc/hello var/cache/hello usr/share/man/man1
      printf '#!/bin/sh\\necho hello\\n' > usr/bin/hello; chmod 755 usr/bin/hello
      ln usr/bin/hello usr/bin/hello-hard; ln -s hello usr/bin/hello-soft; ln -s /nowhere usr/lib/hello/dangling
      printf '#!/bin/sh\\necho in bin\\n' > bin/hello-in-bin; chmod 755 bin/hello-in-bin
      cp /bin/true usr/bin/hello-setuid; chmod 4755 usr/bin/hello-setuid; cp /bin/true usr/bin/hello-capable
      echo grüße > 'usr/lib/hello/grüße und 日本'; echo c > var/cache/hello/cached
      echo page > usr/share/man/man1/hello.1; chmod 1770 usr/lib/hello/empty; echo conf > etc/hello/hello.conf`,
    postinst: `setcap cap_net_bind_service=ep /usr/bin/hello-capable; chown 33:1001 /usr/lib/hello/empty
      rm -f /etc/legal-notice; echo x > '/usr/lib/hello/new
line'; set +e; /usr/sbin/policy-rc.d; echo $? > /usr/lib/hello/policy`,
  },
  {
    name: "tool",
    version: "2.0",
    fill: "mkdir -p usr/share/tool usr/bin; echo two > usr/share/tool/data; printf '#!/bin/sh\\n' > usr/bin/tool; chmod 755 usr/bin/tool",
    postinst: "rm -rf /usr/share/tool/docs; ln -s . /usr/share/tool/docs",
  },
  {
    name: "new-tool",
    control: "Conflicts: old-tool\nReplaces: old-tool",
    fill: "mkdir -p usr/lib; echo new > usr/lib/new-tool",
  },
  { name: "present-name", control: "Provides: former-name", fill: "mkdir -p usr/lib; echo present > usr/lib/present" },
  { name: "broken", postinst: "echo 'this postinst fails' >&2; exit 1" },
  { name: "slow", postinst: "sleep 60" },
  { name: "big", fill: "mkdir -p usr/share; head -c 31457280 /dev/zero > usr/share/big" },
];

const shells = { dash: ["/bin/dash"], bash: ["/bin/bash", "--posix"], busybox: ["/bin/busybox", "sh"] };
const root = mkdtempSync(join(tmpdir(), "arc-primer-packages-"));
const containers: Container[] = [];
let repository: AptRepository;
let image: string[];
let archives: string[];

function container(...layers: string[]): Container {
  containers.push(new Container(...layers, ...image));
  return containers.at(-1)!;
}

interface Options {
  packages?: string[];
  settings?: string[];
  shell?: readonly string[];
  timeout?: string;
  onFailure?: string;
  sizeLimit?: number;
  mode?: "rw" | "full";
  source?: string[];
}

/** The volume that both containers of a pod mount. */
function newVolume(): string {
  const volume = mkdtempSync(join(root, "volume-"));
  chmodSync(volume, 0o777);
  return volume;
}

function startInstall(one: Container, volume: string, options: Options): Started {
  const { packages = [], settings = [], shell = shells.dash, timeout = "60", onFailure = "warn" } = options;
  const { sizeLimit = 1e9, mode = "rw" } = options;
  const source = options.source ?? [`key=${repository.key}`, `source=Types: deb\nURIs: ${repository.url}\nSuites: ./`];
  const words = ["directory=/arc-primer/prerequisites", `on-failure=${onFailure}`, `timeout=${timeout}`];
  const all = [...words, `size-limit=${sizeLimit}`, ...source, ...settings];
  const command = [...shell, "-c", installScript, "arc-primer-prerequisites", ...all, "--", ...packages];
  return one.start(command, { volume, mode });
}

async function install(options: Options): Promise<Ended & { volume: string; container: Container }> {
  const volume = newVolume();
  const one = container();
  return { ...(await startInstall(one, volume, options).exit), volume, container: one };
}

async function apply(
  volume: string,
  options: {
    uid?: number;
    shell?: readonly string[];
    onFailure?: string;
    layers?: string[];
    command?: string[];
    env?: string[];
    mount?: string;
    settings?: string[];
    alone?: boolean;
  } = {},
): Promise<Ended & { container: Container }> {
  const { uid = 0, shell = shells.dash, onFailure = "warn", layers = [], command = ["echo", "started"] } = options;
  const { env = [], mount = "", settings = [], alone = false } = options;
  const one = container(...layers);
  const words = [...(alone ? [] : ["directory=/arc-primer/prerequisites", `on-failure=${onFailure}`]), ...settings];
  const script = [...shell, "-c", applyScript, "arc-primer-packages", ...words, "--", ...command];
  return { ...(await one.start(script, { volume, uid, mode: "ro", env, mount }).exit), container: one };
}

const inside = (one: Container, ...command: string[]) => one.start(command, { volume: newVolume() }).exit;
const has = (volume: string, name: string) => existsSync(join(volume, name));
const problem = (volume: string) => readFileSync(join(volume, "problem"), "utf8");

const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env["CI"]) throw new Error("the tests of packages need root, because they create containers");

describe.runIf(isRoot && haveTools("mmdebstrap", "dpkg-deb", "apt-ftparchive", "gpg", "unshare", "dash", "bash"))(
  "packages",
  { timeout: 60_000 },
  () => {
    beforeAll(async () => {
      repository = await aptRepository(offered);
      image = [debianTree()];
      const base = container();
      const folder = join(base.folder, "upper/root");
      mkdirSync(folder);
      archives = installed.map((one) => buildPackage(folder, one));
      const script = `echo notice > /etc/legal-notice; dpkg -i /root/*.deb`;
      const { code, stderr } = await inside(base, "/bin/sh", "-c", script);
      if (code !== 0) throw new Error(stderr);
      image = [base.layer, ...image];
    }, 180_000);
    afterAll(() => {
      repository.close();
      for (const one of containers) one.remove();
      rmSync(root, { recursive: true });
    });

    test.each(Object.entries(shells))(
      "if no package is missing, apt does not run and nothing is applied (%s)",
      async (_name, shell) => {
        repository.requests.length = 0;
        const { code, stderr, volume } = await install({ packages: ["tool", "bash", "tool=1.*"], shell });
        expect({ code, requests: repository.requests }).toEqual({ code: 0, requests: [] });
        expect(stderr).toMatch(
          /preparing packages, \d+ s after their volume was created\n.*all packages are already installed; checked in \d+\.\d\d s/,
        );
        expect(["changes.tar", "problem", "work"].map((name) => has(volume, name))).toEqual([false, false, false]);
        const applied = await apply(volume, { shell });
        expect(applied).toMatchObject({ code: 0, stdout: "started\n", stderr: "" });
      },
    );

    test.each([
      ["root", "dash", 0],
      ["an ordinary user with sudo", "dash", 1001],
      ["an ordinary user with sudo", "bash", 1001],
      ["root", "busybox", 0],
    ] as const)(
      "after the packages are applied as %s under %s, the runner container has exactly the init container's files",
      async (_who, name, uid) => {
        const shell = shells[name];
        const installedIn = await install({ packages: ["hello", "tool=2.0", "new-tool"], shell });
        expect(installedIn.code).toBe(0);
        expect(installedIn.stderr).toMatch(/missing from this image: hello tool=2.0 new-tool\n/);
        expect(installedIn.stderr).toMatch(/apt-get update took \d+\.\d\d s, apt-get install \d+\.\d\d s\n/);
        expect(installedIn.stderr).toMatch(/captured \d+ entries, \d+ KiB, in \d+\.\d\d s\n/);
        expect(has(installedIn.volume, "problem")).toBe(false);

        const applied = await apply(installedIn.volume, { shell, uid });
        expect(applied).toMatchObject({ code: 0, stdout: "started\n" });
        expect(applied.stderr).toMatch(/^arc-primer: packages installed in \d+\.\d\d s\n$/);

        const [want, got] = [
          await filesOf(installedIn.container, newVolume()),
          await filesOf(applied.container, newVolume()),
        ];
        expect(got).toEqual(want);
        // Check that something was actually installed:
        const text = got.join("\n");
        for (const expected of [
          "f 4755 0:0 1",
          "hello-setuid",
          "cap_net_bind_service=ep",
          "grüße und 日本",
          "d 1770 33:1001 ./usr/lib/hello/empty",
          "./usr/lib/new-tool",
          "l 777 0:0 1",
          "./usr/share/man/man1/hello.1",
        ])
          expect(text).toContain(expected);
        expect(text).toMatch(/f 755 0:0 2 .*\.\/usr\/bin\/hello-hard/);
        expect(text).toMatch(/f 755 .*\.\/usr\/bin\/hello-in-bin/);
        expect(text).not.toMatch(/\.\/bin\/hello-in-bin|old-tool\/deep|share\/tool\/gone|legal-notice/);
        expect(await inside(applied.container, "hello-in-bin")).toMatchObject({ stdout: "in bin\n" });
        expect(await inside(applied.container, "cat", "/usr/lib/hello/policy")).toMatchObject({ stdout: "101\n" });
        expect(
          await inside(applied.container, "dpkg-query", "-Wf${Version} ${db:Status-Status}", "tool"),
        ).toMatchObject({ stdout: "2.0 installed" });
      },
    );

    test("rejects and logs a runner image with a different package state", async () => {
      const { volume } = await install({ packages: ["new-tool"] });
      const other = await install({ packages: ["hello"] });
      const warned = await apply(volume, { layers: [other.container.layer] });
      expect(warned).toMatchObject({ code: 0, stdout: "started\n" });
      expect(warned.stderr).toContain("its image has a different package state");
      expect(await filesOf(warned.container, newVolume())).toEqual(await filesOf(other.container, newVolume()));
      const failed = await apply(volume, { layers: [other.container.layer], onFailure: "fail" });
      expect(failed).toMatchObject({ code: 1, stdout: "" });
      expect(failed.stderr).toMatch(/\narc-primer: failed: packages-not-in-place: .* different package state .*\n$/);
    });

    test.each([
      ["no sudo in the image", "rm /usr/bin/sudo", "this image has no sudo"],
      ["sudo that asks for a password", "rm /etc/sudoers.d/runner", "sudo failed: sudo: a password is required"],
    ])("%s: the job starts without the packages, and the log says so", async (_what, change, said) => {
      const { volume } = await install({ packages: ["new-tool"] });
      const changed = container();
      await inside(changed, "/bin/sh", "-c", change);
      const applied = await apply(volume, { layers: [changed.layer], uid: 1001 });
      expect(applied).toMatchObject({ code: 0, stdout: "started\n" });
      expect(applied.stderr).toContain(said);
    });

    test("an unknown package: apt's error is logged, and the other packages are installed", async () => {
      const { code, stderr, volume } = await install({ packages: ["nope", "new-tool", "nope.*"] });
      expect(code).toBe(0);
      expect(stderr).toContain("E: Unable to locate package nope");
      expect(problem(volume)).toMatch(
        /^these packages could not be installed: nope nope\.\*\n(  .*\n)*  E: Unable to locate package nope\n/,
      );
      const applied = await apply(volume);
      expect(applied).toMatchObject({ code: 0, stdout: "started\n" });
      expect(applied.stderr).toMatch(/\* these packages could not be installed: nope nope/);
      expect(applied.stderr).toContain("E: Unable to locate package nope");
      expect(await inside(applied.container, "cat", "/usr/lib/new-tool")).toMatchObject({ stdout: "new\n" });

      const failed = await install({ packages: ["nope"], onFailure: "fail" });
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(
        /the runner is not started.*\narc-primer: failed: packages-not-installed: these packages could not be installed: nope\n$/,
      );
    });

    test("a package whose postinst fails: nothing partly installed reaches the runner", async () => {
      const { code, stderr, volume } = await install({ packages: ["broken", "new-tool"] });
      expect(code).toBe(0);
      expect(stderr).toContain("this postinst fails");
      expect(problem(volume)).toMatch(/some packages are only partly installed \(half-configured broken/);
      expect(has(volume, "changes.tar")).toBe(false);
      expect(await apply(volume)).toMatchObject({ code: 0, stdout: "started\n" });
      expect(await install({ packages: ["broken"], onFailure: "fail" })).toMatchObject({ code: 1 });
    });

    test("a repository that hangs is limited by the timeout", async () => {
      repository.hanging = true;
      const { code, stderr, seconds, volume } = await install({ packages: ["hello"], timeout: "2" });
      repository.hanging = false;
      expect(code).toBe(0);
      expect(seconds).toBeLessThan(10);
      expect(stderr).toContain("timeout reached; stopped: apt-get");
      expect(problem(volume)).toContain("these packages could not be installed: hello");
    });

    test.each([
      ["apt", true, ["hello"]],
      ["dpkg", false, ["slow"]],
    ])("TERM while %s is running ends it immediately", async (_what, hangs, packages) => {
      repository.hanging = hangs;
      const started = startInstall(container(), newVolume(), { packages });
      await sleep(3000);
      const began = performance.now();
      started.kill("SIGTERM");
      const { code, stderr } = await started.exit;
      repository.hanging = false;
      expect(code).toBe(143);
      expect(stderr).toContain("stopped by a signal while preparing packages");
      expect(performance.now() - began).toBeLessThan(2000);
    });

    test.each([
      ["root", 0],
      ["an ordinary user with sudo", 1001],
    ])("TERM while %s installs packages ends it immediately", async (_who, uid) => {
      const { volume } = await install({ packages: ["new-tool"] });
      // The archive is a pipe without a writer, so that the script blocks in the middle.
      rmSync(join(volume, "changes.tar"));
      spawnSync("mkfifo", [join(volume, "changes.tar")]);
      const words = ["directory=/arc-primer/prerequisites", "on-failure=warn", "--", "echo", "started"];
      const command = [...shells.dash, "-c", applyScript, "arc-primer-packages", ...words];
      const started = container().start(command, { volume, uid, mode: "ro" });
      await sleep(1000);
      const began = performance.now();
      started.kill("SIGTERM");
      const { code, stdout, stderr } = await started.exit;
      expect({ code, stdout }).toEqual({ code: 143, stdout: "" });
      expect(stderr).toContain("stopped by a signal while installing packages");
      expect(performance.now() - began).toBeLessThan(2000);
    });

    test("a full disk is logged, and nothing is copied to the runner", async () => {
      const { code, stderr } = await install({ packages: ["big"], mode: "full" });
      expect(code).toBe(0);
      expect(stderr).toMatch(/No space left on device|tar: .*: Wrote only/);
      expect(stderr).toContain("the changed files could not be archived");
    });

    test("packages larger than sizeLimit are logged, and nothing is copied to the runner", async () => {
      const { code, volume } = await install({ packages: ["big"], sizeLimit: 20e6 });
      expect(code).toBe(0);
      expect(problem(volume)).toMatch(/the packages need about 3\d+ bytes, more than sizeLimit allows \(20000000\)/);
      expect(has(volume, "changes.tar")).toBe(false);
    });

    test.each([
      ["a directory", "/usr/lib/hello"],
      ["a directory behind a symlink", "/lib/hello"],
      ["a single file", "/etc/passwd"],
      ["a directory with removed files", "/usr/lib/old-tool"],
    ])("files on the runner's own volumes are not changed: %s", async (_what, mount) => {
      const packages = ["hello", "new-tool"];
      const { volume } = await install({ packages, settings: ["script=useradd somebody"] });
      const { code, stderr, container: one } = await apply(volume, { mount });
      expect(code).toBe(0);
      expect(stderr).toMatch(/^arc-primer: packages installed in/);
      const mounted = join(one.folder, "mounted");
      const isFile = mount === "/etc/passwd";
      expect(isFile ? readFileSync(mounted, "utf8") : readdirSync(mounted).join()).not.toMatch(
        isFile ? /somebody/ : /./,
      );
      expect(await inside(one, "cat", "/usr/lib/new-tool")).toMatchObject({ stdout: "new\n" });
    });

    test.each([
      ["root", 0],
      ["an ordinary user with sudo", 1001],
    ])("%s: a library that tar and sudo are linked with gets a new file name", async (_who, uid) => {
      const script = `cd /usr/lib/*-linux-gnu; for name in libacl.so.1 libz.so.1 libselinux.so.1; do
        [ -L $name ] || continue; old=$(readlink $name); mv $old $old.9; ln -sf $old.9 $name; done`;
      const installedIn = await install({ settings: [`script=${script}`] });
      const applied = await apply(installedIn.volume, { uid });
      expect(applied.stderr).toMatch(/^arc-primer: packages installed in .* s\n$/);
      expect(await filesOf(applied.container, newVolume())).toEqual(await filesOf(installedIn.container, newVolume()));
    });

    test("a directory is replaced by a symlink and a symlink by a directory, with all their contents", async () => {
      const script = `cd /usr/share; mv tool moved; ln -s moved tool; rm /usr/lib/os-release; mkdir /usr/lib/os-release; echo x > /usr/lib/os-release/x
        rm -rf moved/docs; echo file > moved/docs`;
      const installedIn = await install({ settings: [`script=${script}`] });
      const applied = await apply(installedIn.volume, { uid: 1001 });
      expect(applied.stderr).toMatch(/^arc-primer: packages installed in .* s\n$/);
      expect(await filesOf(applied.container, newVolume())).toEqual(await filesOf(installedIn.container, newVolume()));
    });

    test("a package name that another package provides", async () => {
      const { code, volume, container: one } = await install({ packages: ["former-name"], onFailure: "fail" });
      expect({ code, problem: has(volume, "problem") }).toEqual({ code: 0, problem: false });
      image = [one.layer, ...image];
      repository.requests.length = 0;
      const again = await install({ packages: ["former-name", "bash:any"] });
      image = image.slice(1);
      expect(again.stderr).toContain("all packages are already installed");
      expect(repository.requests).toEqual([]);
    });

    test("many small files: the overhead of the archive counts", async () => {
      const script = "mkdir /usr/share/many; cd /usr/share/many; seq 20000 | xargs touch";
      const { code, volume } = await install({ settings: [`script=${script}`], sizeLimit: 30e6 });
      expect(code).toBe(0);
      expect(problem(volume)).toContain("more than sizeLimit allows (30000000)");
    });

    test("if the image's files cannot be listed, this is logged, and nothing is copied to the runner", async () => {
      const changed = container();
      const find =
        '#!/bin/sh\n[ -e /var/tmp/seen ] || { : > /var/tmp/seen; echo no luck >&2; exit 1; }\nexec /usr/bin/find "$@"\n';
      writeFileSync(join(changed.layer, "find"), find, { mode: 0o755 });
      await inside(changed, "mv", "/find", "/usr/local/sbin/find");
      image = [changed.layer, ...image];
      const { volume, stderr } = await install({ settings: ["script=true"] });
      image = image.slice(1);
      expect(stderr).toContain("no luck");
      expect(problem(volume)).toContain("the image's files could not be listed");
      expect(has(volume, "changes.tar")).toBe(false);
    });

    test("a package that was partly installed before and is complete afterwards is no problem", async () => {
      const changed = container();
      writeFileSync(join(changed.layer, "tool.deb"), readFileSync(archives[0]!));
      await inside(changed, "sh", "-c", "dpkg --remove tool; dpkg --unpack /tool.deb");
      image = [changed.layer, ...image];
      const { volume } = await install({ packages: ["new-tool"] });
      image = image.slice(1);
      expect([has(volume, "problem"), has(volume, "changes.tar")]).toEqual([false, true]);
    });

    test("an obstacle in the runner container is logged in a box", async () => {
      const { volume } = await install({ packages: ["hello"] });
      const changed = container();
      await inside(changed, "mkdir", "-p", "/usr/bin/hello/in-the-way");
      const applied = await apply(volume, { layers: [changed.layer] });
      expect(applied).toMatchObject({ code: 0, stdout: "started\n" });
      expect(applied.stderr).toMatch(
        /\* the profile's packages are not installed .*: only some of the files could be installed; see the errors above\n/,
      );
      const failed = await apply(volume, { layers: [changed.layer], onFailure: "fail" });
      expect(failed).toMatchObject({ code: 1, stdout: "" });
    });

    test("a second run with the same volume starts from scratch", async () => {
      const volume = newVolume();
      await startInstall(container(), volume, { packages: ["nope", "new-tool"] }).exit;
      expect([has(volume, "problem"), has(volume, "changes.tar")]).toEqual([true, true]);
      await startInstall(container(), volume, { packages: ["bash"] }).exit;
      expect([has(volume, "problem"), has(volume, "changes.tar")]).toEqual([false, false]);
    });

    test.each(Object.entries(shells))("no variable of the script reaches the job (%s)", async (_name, shell) => {
      const { volume } = await install({ packages: ["new-tool"] });
      const names = [...applyScript.matchAll(/\b(?!arc_primer_)([a-z_]+)=/g)].map(([, name]) => name!);
      const env = [...new Set([...names, "path", "line", "uptime", "job"])].map((name) => `${name}=the job's`);
      const applied = await apply(volume, { shell, env, command: ["env"] });
      for (const variable of env) expect(applied.stdout).toContain(`${variable}\n`);
    });

    test.each([
      ["shell by default", "echo $0 > /etc/by-script; tool=1; ls /usr/lib/new-tool"],
      ["its own interpreter", "#!/usr/bin/perl\nopen(my $f, '>', '/etc/by-script'); print $f 'perl';"],
    ])("the administrator's script runs as root after the packages: %s", async (_what, script) => {
      const { code, volume } = await install({ packages: ["new-tool"], settings: [`script=${script}`] });
      expect({ code, problem: has(volume, "problem") }).toEqual({ code: 0, problem: false });
      const applied = await apply(volume, { uid: 1001 });
      expect(await inside(applied.container, "cat", "/etc/by-script")).toMatchObject({
        stdout: expect.stringMatching(/work\/script\n|perl/),
      });
    });

    test("if the administrator's script fails, this is logged, and the packages are installed", async () => {
      const { code, volume } = await install({ packages: ["new-tool"], settings: ["script=echo oh no >&2; exit 3"] });
      expect(code).toBe(0);
      expect(problem(volume)).toContain("the profile's script failed with exit code 3");
      const applied = await apply(volume);
      expect(await inside(applied.container, "cat", "/usr/lib/new-tool")).toMatchObject({ stdout: "new\n" });
    });

    test("a script without missing packages is applied without apt", async () => {
      repository.requests.length = 0;
      const { volume } = await install({
        packages: ["tool"],
        settings: ["script=mv /usr/share/tool /usr/share/moved"],
      });
      expect(repository.requests).toEqual([]);
      const { container: one } = await apply(volume);
      expect(await inside(one, "cat", "/usr/share/moved/docs/x")).toMatchObject({ stdout: "x\n" });
      expect(await inside(one, "ls", "/usr/share/tool")).toMatchObject({ code: 2 });
    });

    test("apt uses the mirror and the proxy, and the image's own sources are not changed", async () => {
      const list = "# of the image\ndeb [trusted=yes] http://packages.example.com/debian ./\n";
      const changed = container();
      writeFileSync(join(changed.layer, "list"), list);
      await inside(changed, "/bin/sh", "-c", "mv /list /etc/apt/sources.list");
      image = [changed.layer, ...image];
      try {
        repository.requests.length = 0;
        const mirrored = await install({
          packages: ["new-tool"],
          source: [],
          settings: ["mirror=http://packages.example.com/debian", `by=${repository.url}/copy`],
        });
        expect(has(mirrored.volume, "problem")).toBe(false);
        expect(repository.requests).toContain("/debian/copy/./new-tool_1.0_all.deb");
        const { container: one } = await apply(mirrored.volume);
        expect(await inside(one, "cat", "/etc/apt/sources.list")).toMatchObject({ stdout: list });

        const proxied = await install({
          packages: ["new-tool"],
          source: [],
          settings: [`proxy=${repository.url.replace("/debian", "")}`],
        });
        expect(has(proxied.volume, "problem")).toBe(false);
        expect(repository.requests).toContain("http://packages.example.com/debian/./new-tool_1.0_all.deb");
      } finally {
        image = image.slice(1);
      }
    });

    describe("the profile's proxy and mirrors are configured for the job's own apt-get", () => {
      const list = "# of the image\ndeb [trusted=yes] http://packages.example.com/debian ./\n";
      const stanza = "Types: deb\nURIs: http://packages.example.com/debian/more\nSuites: ./\nTrusted: yes\n";
      const mirror = () => ["mirror=http://packages.example.com/debian", `by=${repository.url}/copy`];
      const proxy = () => [`proxy=${repository.url.replace("/debian", "")}`];
      const byTheJob = "sudo apt-get -q update && sudo apt-get -q -y install present-name";

      async function withSources(): Promise<string[]> {
        const changed = container();
        const write = `printf '${list}' > /etc/apt/sources.list; printf '${stanza}' > /etc/apt/more.sources
          ln -s ../more.sources /etc/apt/sources.list.d/more.sources; echo http://packages.example.com/debian > /etc/apt/sources.list.d/README`;
        await inside(changed, "/bin/sh", "-c", write);
        return [changed.layer];
      }

      test.each<[string, string[], boolean]>([
        ["in addition to installed packages", ["new-tool"], false],
        ["if no package is missing", ["tool"], false],
        ["without any packages", [], true],
      ])("%s", async (_what, packages, alone) => {
        const layers = await withSources();
        image = [...layers, ...image];
        try {
          const { volume } = await install({ packages, source: [], settings: mirror() });
          repository.requests.length = 0;
          const kept = await apply(volume, { uid: 1001, settings: mirror(), alone, command: ["sh", "-c", byTheJob] });
          expect(kept).toMatchObject({ code: 0, stdout: expect.stringContaining("Setting up present-name") });
          expect(repository.requests).toContain("/debian/copy/./present-name_1.0_all.deb");
          expect(repository.requests).toContain("/debian/copy/more/./InRelease");
          const files = await inside(
            kept.container,
            "sh",
            "-c",
            "cd /etc/apt; cat sources.list more.sources sources.list.d/README",
          );
          const other = `${list}${stanza}`.replaceAll("http://packages.example.com/debian", `${repository.url}/copy`);
          expect(files.stdout).toBe(`${other}http://packages.example.com/debian\n`);

          repository.requests.length = 0;
          const proxied = await apply(volume, { settings: proxy(), alone, command: ["sh", "-c", byTheJob] });
          expect(proxied).toMatchObject({ code: 0, stdout: expect.stringContaining("Setting up present-name") });
          expect(repository.requests).toContain("http://packages.example.com/debian/./present-name_1.0_all.deb");
        } finally {
          image = image.slice(1);
        }
      });

      test("files on the runner's own volumes are not changed", async () => {
        const [layer = ""] = await withSources();
        const options = { layers: [layer], settings: mirror(), alone: true, mount: "/etc/apt/sources.list" };
        const { stderr, container: one } = await apply(newVolume(), options);
        expect({ stderr, list: readFileSync(join(one.folder, "mounted"), "utf8") }).toEqual({ stderr: "", list });
      });

      test("without sudo, the reason is logged, and the job starts", async () => {
        const changed = container();
        await inside(changed, "rm", "/usr/bin/sudo");
        const settings = [...proxy(), ...mirror()];
        const one = await apply(newVolume(), { layers: [changed.layer], uid: 1001, settings, alone: true });
        expect(one).toMatchObject({ code: 0, stdout: "started\n" });
        expect(one.stderr).toMatch(
          /\* the profile's proxy and mirrors are not configured for apt in this container: .* this image has no sudo\n/,
        );
      });

      test("without apt, the reason is logged, and the job starts", async () => {
        const changed = container();
        await inside(changed, "rm", "-r", "/etc/apt");
        const one = await apply(newVolume(), { layers: [changed.layer], settings: proxy(), alone: true });
        expect(one).toMatchObject({ code: 0, stdout: "started\n" });
        expect(one.stderr).toContain("this image has no /etc/apt/apt.conf.d");
      });
    });

    test("a source signed with another key is not trusted", async () => {
      const other = await aptRepository([]);
      const source = [`key=${other.key}`, `source=Types: deb\nURIs: ${repository.url}\nSuites: ./`];
      const { volume, stderr } = await install({ packages: ["new-tool"], source });
      other.close();
      expect(stderr).toContain("NO_PUBKEY");
      expect(problem(volume)).toContain("these packages could not be installed: new-tool");
    });

    test.each([
      ["GNU", "rm /usr/bin/apt-get", []],
      ["busybox", "mkdir /bb && busybox --install -s /bb", ["/usr/bin/env", "PATH=/bb"]],
    ])("an image without apt, with the tools of %s: reports the reason", async (_whose, change, env) => {
      const changed = container();
      await inside(changed, "/bin/sh", "-c", change);
      image = [changed.layer, ...image];
      const shell = env.length > 0 ? [...env, "/bb/sh"] : shells.dash;
      const { code, stderr, volume } = await install({ packages: ["hello"], shell });
      const applied = await apply(volume, { shell });
      image = image.slice(1);
      const said = "installing packages requires apt, which this image does not have; missing: hello";
      expect({ code, stderr, problem: problem(volume) }).toEqual({
        code: 0,
        stderr: `arc-primer: ${said}\narc-primer: the job starts anyway, because onFailure is warn\n`,
        problem: `${said}\n`,
      });
      expect(applied).toMatchObject({ code: 0, stdout: "started\n", stderr: expect.stringContaining(said) });
    });
  },
);
