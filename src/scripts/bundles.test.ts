import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aptRepository } from "../../test/support/apt-repository.ts";
import type { AptRepository } from "../../test/support/apt-repository.ts";
import { Container, buildPackage, debianTree, filesOf } from "../../test/support/debian-tree.ts";
import type { DebianPackage, Ended } from "../../test/support/debian-tree.ts";
import { haveTools } from "../../test/support/tools.ts";
import { scripts } from "./index.ts";

// build-bundle.sh installs packages from a real repository in one container, and a real HTTP server serves the bundle. The
// scripts of a pod install it in other containers, without the repository.

test.runIf(haveTools("shellcheck"))("shellcheck finds nothing", () => {
  const file = new URL("build-bundle.sh", import.meta.url).pathname;
  const { stdout, status } = spawnSync("shellcheck", ["-s", "sh", "-S", "style", file], { encoding: "utf8" });
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
});

/** A package that the runner's image already contains. */
const tool: DebianPackage = {
  name: "tool",
  fill: "mkdir -p usr/share/tool/docs; echo one > usr/share/tool/data; echo 1 > usr/share/tool/gone; echo x > usr/share/tool/docs/x",
};

const offered: DebianPackage[] = [
  {
    name: "hello",
    fill: `mkdir -p usr/bin usr/lib/hello/empty; printf '#!/bin/sh\\necho hello\\n' > usr/bin/hello; chmod 755 usr/bin/hello
      ln -s hello usr/bin/hello-soft; ln usr/bin/hello usr/bin/hello-hard; cp /bin/true usr/bin/hello-capable
      echo grüße > 'usr/lib/hello/grüße und 日本'; chmod 1770 usr/lib/hello/empty; head -c 3000000 /dev/zero > usr/lib/hello/zeros`,
    postinst: `setcap cap_net_bind_service=ep /usr/bin/hello-capable; chown 33:1001 /usr/lib/hello/empty
      echo x > '/usr/lib/hello/new
line'; echo y > '/usr/lib/hello/back\\slash'; ln -sf '/with space' /etc/a-link; rm -f /etc/legal-notice`,
  },
  {
    name: "tool",
    version: "2.0",
    fill: "mkdir -p usr/share/tool; echo two > usr/share/tool/data",
    postinst: "rm -rf /usr/share/tool/docs; ln -s . /usr/share/tool/docs",
  },
  { name: "with-user", postinst: "useradd --system somebody" },
  { name: "broken", postinst: "echo 'this postinst fails' >&2; exit 1" },
];

const shells = { dash: ["/bin/dash"], bash: ["/bin/bash", "--posix"], busybox: ["/bin/busybox", "sh"] };
const root = mkdtempSync(join(tmpdir(), "arc-primer-bundles-"));
const containers: Container[] = [];
let repository: AptRepository;
let image: string[];

/** The server of the bundles. */
const server = {
  /** The response bodies, keyed by URL path. */
  files: new Map<string, Buffer>(),
  answer: undefined as ((response: ServerResponse) => void) | undefined,
  requests: [] as string[],
  url: "",
};
const http = createServer((request, response) => {
  server.requests.push(request.url ?? "");
  if (server.answer) return server.answer(response);
  const body = server.files.get(request.url ?? "");
  response.writeHead(body ? 200 : 404, { "content-length": body?.length ?? 0 }).end(body);
});

function container(...layers: string[]): Container {
  containers.push(new Container(...layers, ...image));
  return containers.at(-1)!;
}

/** Runs a command in a container and returns its changes as a layer over the image. */
async function changed(script: string): Promise<string> {
  const one = container();
  const { code, stderr } = await inside(one, "/bin/sh", "-c", script);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return one.layer;
}

const inside = (one: Container, ...command: string[]) => one.start(command, { volume: newVolume() }).exit;
const has = (volume: string, name: string) => existsSync(join(volume, name));

/** A new directory that can be a volume. */
function newVolume(): string {
  const path = mkdtempSync(join(root, "volume-"));
  chmodSync(path, 0o777);
  return path;
}

interface Settings {
  packages?: string[];
  settings?: string[];
  shell?: readonly string[];
  timeout?: string;
}

function words({ packages = [], settings = [], timeout = "60" }: Settings): string[] {
  const source = [`key=${repository.key}`, `source=Types: deb\nURIs: ${repository.url}\nSuites: ./`];
  const all = ["on-failure=warn", `timeout=${timeout}`, "size-limit=1000000000", ...source, ...settings];
  return [...all, "--", ...packages];
}

/** Builds a bundle in a container with the image, as `arc-primer bundle-server` would request it. */
async function build(settings: Settings, number = 7): Promise<Ended & { handover: string; container: Container }> {
  const handover = newVolume();
  for (const name of ["plan", "done"]) mkdirSync(join(handover, name));
  writeFileSync(join(handover, "plan/script"), scripts["install-packages.sh"]);
  writeFileSync(
    join(handover, "plan/settings"),
    words(settings)
      .map((word) => `${word}\0`)
      .join(""),
  );
  const one = container();
  const script = [...(settings.shell ?? shells.dash), "-c", scripts["build-bundle.sh"], "arc-primer-build-bundle"];
  const started = one.start([...script, "handover=/arc-primer/prerequisites"], { volume: handover });
  writeFileSync(join(handover, "plan/build"), `${number}\n`);
  return { ...(await started.exit), handover, container: one };
}

/** Serves a bundle. Returns the script argument that offers it. */
function serve(handover: string, architecture = "amd64"): string {
  const body = readFileSync(join(handover, "done/bundle.tar"));
  const sha256 = createHash("sha256").update(body).digest("hex");
  server.files.set(`/${sha256}.tar`, body);
  return `bundle=${architecture} ${sha256} ${server.url}/${sha256}.tar`;
}

interface Pod {
  volume: string;
  init: Ended;
  initContainer: Container;
  runner: Ended;
  container: Container;
}

/** Runs the scripts of a pod: in the init container, then in the runner container. */
async function pod(
  settings: Settings,
  options: { layers?: string[]; uid?: number; env?: string[] } = {},
): Promise<Pod> {
  const { shell = shells.dash } = settings;
  const { layers = [], uid = 0, env = [] } = options;
  const volume = newVolume();
  const directory = "directory=/arc-primer/prerequisites";
  const initContainer = container(...layers);
  const install = [...shell, "-c", scripts["install-packages.sh"], "arc-primer-prerequisites", directory];
  const init = await initContainer.start([...install, ...words(settings)], { volume, env }).exit;
  const one = container(...layers);
  const apply = [...shell, "-c", scripts["apply-packages.sh"], "arc-primer-packages", directory, "on-failure=warn"];
  const runner = await one.start([...apply, "--", "echo", "started"], { volume, uid, mode: "ro" }).exit;
  return { volume, init, initContainer, runner, container: one };
}

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot && haveTools("mmdebstrap", "dpkg-deb", "apt-ftparchive", "gpg", "unshare", "dash", "bash"))(
  "bundles",
  { timeout: 60_000 },
  () => {
    const packages = ["hello", "tool=2.0"];
    let built: Awaited<ReturnType<typeof build>>;
    let offer: string;
    let offerWithUser: string;

    beforeAll(async () => {
      await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
      server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
      repository = await aptRepository(offered);
      image = [debianTree()];
      const base = container();
      mkdirSync(join(base.layer, "root"));
      buildPackage(join(base.layer, "root"), tool);
      await inside(base, "/bin/sh", "-c", "echo notice > /etc/legal-notice; dpkg -i /root/*.deb; rm /root/*.deb");
      image = [base.layer, ...image];
      built = await build({ packages });
      offer = serve(built.handover);
      offerWithUser = serve((await build({ packages: ["with-user"] })).handover);
    }, 180_000);
    beforeEach(() => {
      repository.requests.length = 0;
      server.requests.length = 0;
      server.answer = undefined;
    });
    afterAll(() => {
      repository.close();
      http.close();
      http.closeAllConnections();
      for (const one of containers) one.remove();
      rmSync(root, { recursive: true });
    }, 60_000);

    const noBundle = /the package bundle is not used: (.*); installing the packages with apt\n/;

    test.each([
      ["dash", 0],
      ["dash", 1001],
      ["bash", 1001],
      ["busybox", 0],
    ] as const)(
      "without the package repository, under %s as user %i, the runner container gets exactly the builder's files",
      async (name, uid) => {
        const one = await pod({ packages, settings: [offer], shell: shells[name] }, { uid });
        expect({ code: one.init.code, requests: repository.requests }).toEqual({ code: 0, requests: [] });
        expect(one.init.stderr).toMatch(
          /: packages taken from a bundle in \d+\.\d\d s, including \d+\.\d\d s for the download with apt_helper\n$/,
        );
        expect(one.runner).toMatchObject({ code: 0, stdout: "started\n" });
        expect(one.runner.stderr).toMatch(
          /^.*: packages from the bundle [0-9a-f]{64}, built \d{4}-\d\d-\d\d \d\d:\d\d UTC, 0 h ago; it contains:\n.*: hello 1.0, tool 2.0\n.*: packages installed in \d+\.\d\d s\n$/,
        );
        expect(await filesOf(one.container, newVolume())).toEqual(await filesOf(built.container, newVolume()));
        expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
      },
    );

    test.each(Object.entries(shells))("can be built under %s", async (_name, shell) => {
      const other = await build({ packages: ["with-user"], shell });
      expect(other).toMatchObject({ code: 0 });
      expect(readFileSync(join(other.handover, "done/build"), "utf8")).toBe("7\n");
      expect(has(other.handover, "build")).toBe(false);
      const one = await pod({ packages: ["with-user"], settings: [serve(other.handover)], shell });
      expect({ requests: repository.requests.length, code: one.runner.code }).toMatchObject({ code: 0 });
      expect(await filesOf(one.container, newVolume())).toEqual(await filesOf(other.container, newVolume()));
    });

    test.each<[string, string, string, string[]]>([
      ["apt-helper", "true", "apt_helper", []],
      ["curl", "rm /usr/lib/apt/apt-helper", "curl", []],
      ["python3", "rm /usr/lib/apt/apt-helper /usr/bin/curl", "python", []],
      ["the runner's node", "rm /usr/lib/apt/apt-helper /usr/bin/curl /usr/bin/python3*", "node", ["node"]],
    ])(
      "can be downloaded with only %s, bypassing any proxy; a wrong SHA-256 is rejected",
      async (_name, change, said, externals) => {
        const layer = await changed(change);
        if (externals.length > 0) {
          mkdirSync(join(layer, "home/runner/externals/node24/bin"), { recursive: true });
          copyFileSync(process.execPath, join(layer, "home/runner/externals/node24/bin/node"));
        }
        const env = ["http_proxy=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "all_proxy=http://127.0.0.1:1"];
        const one = await pod({ packages, settings: [offer] }, { layers: [layer], env });
        expect(one.init.stderr).toContain(`for the download with ${said}\n`);
        expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });

        const [, architecture, , url] = /=(\S+) (\S+) (\S+)/.exec(offer)!;
        const other = await pod(
          { packages, settings: [`bundle=${architecture} ${"0".repeat(64)} ${url}`] },
          { layers: [layer] },
        );
        expect(other.init.stderr).toMatch(/not used: .* has an unexpected SHA-256|not used: .* Hash Sum mismatch/);
        expect(await inside(other.container, "hello")).toMatchObject({ stdout: "hello\n" });
        expect(repository.requests).toContain("/debian/./hello_1.0_all.deb");

        const missing = await pod(
          { packages, settings: [`bundle=amd64 ${"0".repeat(64)} ${server.url}/nothing`] },
          { layers: [layer] },
        );
        expect(missing.init.stderr).toMatch(
          /not used: .*nothing could not be downloaded \(.*404.*\); installing the packages with apt\n/,
        );
      },
    );

    test("without any of these programs, apt installs the packages", async () => {
      const layer = await changed("rm /usr/lib/apt/apt-helper /usr/bin/curl /usr/bin/python3*");
      const one = await pod({ packages, settings: [offer] }, { layers: [layer] });
      expect(one.init.stderr).toContain(
        "requires apt-helper, curl, python3 or the runner's Node.js, and this image has none of them; installing the packages with apt\n",
      );
      expect(one.runner.stderr).toContain("and this image has none of them\n");
      expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
    });

    test.each([
      ["a line in /etc/passwd", "echo 'other:x:2000:2000::/:/bin/sh' >> /etc/passwd", "/etc/passwd", ["with-user"]],
      ["a file that is replaced", "echo three > /usr/share/tool/data", "/usr/share/tool/data", packages],
      ["a file that is deleted", "echo other > /etc/legal-notice", "/etc/legal-notice", packages],
      ["the mode of a file", "chmod 600 /usr/share/tool/data", "/usr/share/tool/data", packages],
      ["the owner of a file", "chown 7:7 /usr/share/tool/data", "/usr/share/tool/data", packages],
      [
        "a symlink instead of a file",
        "cp /usr/share/tool/data /x; ln -sf /x /usr/share/tool/data",
        "/usr/share/tool/data",
        packages,
      ],
      ["a file that the bundle adds", "echo own > /usr/bin/hello", "/usr/bin/hello", packages],
      ["a symlink that the bundle adds", "ln -s /own /etc/a-link", "/etc/a-link -> /own", packages],
      [
        "a file with an unusual name",
        "mkdir /usr/lib/hello; echo > '/usr/lib/hello/grüße und 日本'",
        "/usr/lib/hello",
        packages,
      ],
      ["its package state", "echo >> /var/lib/dpkg/status", "/var/lib/dpkg/status", packages],
    ])(
      "if the image differs in %s, apt installs the packages, and the log says so",
      async (_what, change, path, wanted) => {
        const word = wanted === packages ? offer : offerWithUser;
        const layer = await changed(change);
        const one = await pod({ packages: wanted, settings: [word] }, { layers: [layer] });
        const [, why = ""] = noBundle.exec(one.init.stderr) ?? [];
        expect(why.replace(/' -> '/, " -> ")).toBe(`it was built from a different image: ${path} differs`);
        expect(one.runner.stderr).toContain(`arc-primer: the package bundle is not used: ${why}\n`);
        expect(repository.requests).toContain(`/debian/./${wanted[0]}_1.0_all.deb`);
        expect(one.runner).toMatchObject({ code: 0, stdout: "started\n" });
        const query = ["dpkg-query", "-Wf${db:Status-Status} ", ...wanted.map((name) => name.split("=")[0]!)];
        expect((await inside(one.container, ...query)).stdout).toMatch(/^(installed ?)+$/);
        expect((await inside(one.container, "tail", "-n", "2", "/etc/passwd")).stdout).toMatch(
          wanted === packages ? /runner/ : /^other:.*\nsomebody:/,
        );
      },
    );

    test("if the image differs only in files that the bundle does not change, the bundle is used, and these files are kept", async () => {
      const layer = await changed("echo 'other:x:2000:2000::/:/bin/sh' >> /etc/passwd; echo > /usr/share/tool/own");
      const one = await pod({ packages, settings: [offer] }, { layers: [layer] });
      expect(repository.requests).toEqual([]);
      expect(await inside(one.container, "tail", "-n", "1", "/etc/passwd")).toMatchObject({
        stdout: "other:x:2000:2000::/:/bin/sh\n",
      });
      expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
    });

    const slowly = (response: ServerResponse) => {
      response.writeHead(200, { "content-length": 1e8 });
      const drip = setInterval(() => response.write(Buffer.alloc(10_000)), 100);
      response.once("close", () => clearInterval(drip));
    };
    test.each<[string, (response: ServerResponse) => void]>([
      ["accepts the connection and never responds", () => undefined],
      ["stops in the middle", (response) => void response.writeHead(200, { "content-length": 1e8 }).write("a")],
      ["sends 100 kB per second", slowly],
    ])("a server that %s delays the pod by only a few seconds", async (_what, answer) => {
      for (const change of ["true", "rm /usr/lib/apt/apt-helper"]) {
        server.answer = answer;
        const one = await pod({ packages, settings: [offer] }, { layers: [await changed(change)] });
        const [, why = ""] = noBundle.exec(one.init.stderr) ?? [];
        expect(why).toMatch(/^http:\S+ responds too slowly or not at all$/);
        expect(one.init.seconds).toBeLessThan(12); // 3 s, the installation with apt, and the load of the other tests
        expect(one.runner.stderr).toContain(`not used: ${why}\n`);
        expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
      }
    });

    test("a closed port causes no delay", async () => {
      const one = await pod({ packages, settings: [offer.replace(server.url, "http://127.0.0.1:1")] });
      expect(noBundle.exec(one.init.stderr)?.[1]).toMatch(/could not be downloaded .*Connection refused/i);
      expect(one.init.seconds).toBeLessThan(8);
      expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
    });

    test.each(["true", "rm /usr/lib/apt/apt-helper", "rm /usr/lib/apt/apt-helper /usr/bin/curl"])(
      "an endless response does not fill the volume (%s)",
      async (change) => {
        server.answer = (response) => {
          response.writeHead(200);
          const more = () => {
            while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
          };
          response.on("drain", more);
          more();
        };
        const volume = { packages, settings: ["size-limit=20000000", offer] };
        const one = await pod(volume, { layers: [await changed(change)] });
        expect(noBundle.exec(one.init.stderr)?.[1]).toMatch(/could not be downloaded|responds too slowly/);
        expect(await inside(one.container, "hello")).toMatchObject({ stdout: "hello\n" });
      },
    );

    test("TERM while the server hangs ends the script immediately", async () => {
      server.answer = () => undefined;
      const install = [...shells.dash, "-c", scripts["install-packages.sh"], "arc-primer-prerequisites"];
      const all = ["directory=/arc-primer/prerequisites", ...words({ packages, settings: [offer] })];
      const started = container().start([...install, ...all], { volume: newVolume() });
      await sleep(1000);
      const began = performance.now();
      started.kill("SIGTERM");
      expect(await started.exit).toMatchObject({ code: 143 });
      expect(performance.now() - began).toBeLessThan(1500);
    });

    test("each architecture has its own bundle; apt installs the packages if there is none", async () => {
      const other = `bundle=arm64 ${"0".repeat(64)} ${server.url}/nothing`;
      const both = await pod({ packages, settings: [other, offer] });
      expect(repository.requests).toEqual([]);
      expect(both.init.stderr).toContain("packages taken from a bundle");
      const none = await pod({ packages, settings: [other] });
      expect(noBundle.exec(none.init.stderr)?.[1]).toBe("there is no bundle for amd64");
      expect(none.runner.stderr).toContain("the package bundle is not used: there is no bundle for amd64\n");
    });

    test("if no package is missing, the bundle is not requested", async () => {
      const one = await pod({ packages: ["tool", "bash"], settings: [offer] });
      expect(one.init.stderr).toContain("all packages are already installed");
      expect({ requests: server.requests, told: one.runner.stderr }).toEqual({ requests: [], told: "" });
    });

    test("a bundle in an unknown format is not used", async () => {
      const file = join(built.handover, "done/bundle.tar");
      const body = readFileSync(file, "latin1");
      const handover = newVolume();
      mkdirSync(join(handover, "done"));
      writeFileSync(join(handover, "done/bundle.tar"), body.replace("format=1", "format=2"), "latin1");
      const one = await pod({ packages, settings: [serve(handover)] });
      expect(noBundle.exec(one.init.stderr)?.[1]).toBe("it was built by another version of arc-primer (format 2)");
    });

    test("the profile's script runs when the bundle is built, and not in pods", async () => {
      const script = "script=date +%N > /etc/by-script; chown 1001:1001 /etc/by-script; rm -r /usr/share/tool";
      const other = await build({ settings: [script] });
      expect(other).toMatchObject({ code: 0 });
      const one = await pod({ settings: [script, serve(other.handover)] }, { uid: 1001 });
      expect(repository.requests).toEqual([]);
      expect(one.runner.stderr).toContain("arc-primer: no packages\n");
      expect(await filesOf(one.container, newVolume())).toEqual(await filesOf(other.container, newVolume()));
    });

    test("a script that changes nothing results in a bundle that changes nothing", async () => {
      const other = await build({ settings: ["script=true"] });
      const one = await pod({ settings: ["script=true", serve(other.handover)] }, { uid: 1001 });
      expect(one.init.stderr).toContain("packages taken from a bundle");
      expect(one.runner).toMatchObject({ code: 0, stdout: "started\n" });
      expect(await filesOf(one.container, newVolume())).toEqual(await filesOf(container(), newVolume()));
    });

    test.each<[string, Settings, string, RegExp]>([
      [
        "a package that fails",
        { packages: ["broken"] },
        "true",
        /^7\nthese packages could not be installed: broken; some packages are only partly installed \(half-configured broken\)/,
      ],
      [
        "a package that does not exist",
        { packages: ["hello", "nope"] },
        "true",
        /^7\nthese packages could not be installed: nope\n/,
      ],
      [
        "a script that fails",
        { settings: ["script=exit 3"] },
        "true",
        /^7\nthe profile's script failed with exit code 3\n/,
      ],
      [
        "an image without apt",
        { packages },
        "rm /usr/bin/apt-get",
        /^7\ninstalling packages requires apt, which this image/,
      ],
    ])("%s: no bundle is built, and the reason is reported", async (_what, settings, change, reason) => {
      const layer = await changed(change);
      image = [layer, ...image];
      const { code, stderr, handover } = await build(settings);
      image = image.slice(1);
      expect(code).toBe(0);
      expect(stderr).toMatch(/arc-primer: no bundle: /);
      expect(readFileSync(join(handover, "done/failed"), "utf8")).toMatch(reason);
      expect(["done/build", "done/bundle.tar", "build"].filter((name) => has(handover, name))).toEqual([]);
    });

    test.each(["build", "failed"])("builds only if the number is not in done/%s; TERM ends the wait", async (name) => {
      const handover = newVolume();
      for (const part of ["plan", "done"]) mkdirSync(join(handover, part));
      writeFileSync(join(handover, `done/${name}`), "3\nwhy\n");
      writeFileSync(join(handover, "plan/build"), "3\n");
      writeFileSync(join(handover, "plan/script"), "mkdir -p out; exit 9");
      writeFileSync(join(handover, "plan/settings"), "--\0");
      const start = () =>
        container().start(
          [
            ...shells.dash,
            "-c",
            scripts["build-bundle.sh"],
            "arc-primer-build-bundle",
            "handover=/arc-primer/prerequisites",
          ],
          { volume: handover },
        );
      const waiting = start();
      await sleep(1500);
      const began = performance.now();
      waiting.kill("SIGTERM");
      expect(await waiting.exit).toMatchObject({ code: 143, stderr: "" });
      expect(performance.now() - began).toBeLessThan(1000);
      writeFileSync(join(handover, "plan/build"), "4\n");
      expect(await start().exit).toMatchObject({ code: 0 });
      expect(readFileSync(join(handover, "done/failed"), "utf8")).toBe(
        "4\nthe installation failed with exit code 123\n",
      );
    });
  },
);
