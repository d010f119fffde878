import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findTool, haveTools } from "./support/tools.ts";

// Tests the scripts of the cluster tests as far as possible without a cluster. Runs the real scripts with a separate cache.

const scripts = fileURLToPath(new URL("cluster/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-scripts-"));
const cache = join(folder, "cache");
const cluster = join(cache, "run"); // where the bare provider keeps the state of a running cluster
const assets = join(folder, "assets");
const minimalPath = join(folder, "bin");

beforeAll(() => {
  for (const path of [cache, assets, minimalPath, join(folder, "tmp")]) mkdirSync(path);
  // These programs exist but are never executed here.
  for (const name of ["etcd", "kube-apiserver", "kubectl"]) symlinkSync("/bin/true", join(assets, name));
  for (const name of "bash cat dirname env grep id mkdir paste realpath sed sort tail".split(" ")) {
    symlinkSync(findTool(name) ?? "", join(minimalPath, name));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(script: string, args: string[], env: Record<string, string> = {}) {
  const defaults = { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: join(folder, "tmp") };
  const { status, stdout, stderr } = spawnSync(join(scripts, script), args, {
    env: { ...defaults, ARC_PRIMER_CLUSTER_CACHE: cache, CLUSTER_PROVIDER: "bare", ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("all missing programs are reported before anything is done", () => {
  test("for the bare provider", () => {
    const { status, stderr } = run("run.sh", [], { PATH: minimalPath });
    expect(status).toBe(1);
    const installed = /^ {2}apt-get install -y (.*)$/m.exec(stderr)?.[1]?.split(" ");
    expect(installed).toEqual(
      expect.arrayContaining("busybox curl gcc jq mmdebstrap mount openssl skopeo util-linux".split(" ")),
    );
    expect(stderr).toMatch(/^ {2}go: Go 1\.\d+ or later builds Kubernetes v1/m);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("for kind, with the real images", () => {
    const env = { PATH: minimalPath, CLUSTER_PROVIDER: "kind", CLUSTER_IMAGES: "real" };
    const { status, stderr } = run("run.sh", ["node"], env);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ {2}apt-get install -y busybox jq skopeo util-linux$/m);
    for (const name of ["docker", "kubectl", "kind"]) expect(stderr).toMatch(new RegExp(`^  ${name}: `, "m"));
  });

  test("for kind without Docker", () => {
    const { status, stderr } = run("run.sh", ["node"], { PATH: minimalPath, CLUSTER_PROVIDER: "kind" });
    expect(status).toBe(1);
    const installed = /^ {2}apt-get install -y (.*)$/m.exec(stderr)?.[1]?.split(" ");
    expect(installed).toEqual(expect.arrayContaining("busybox gcc jq mmdebstrap mount skopeo".split(" ")));
    expect(stderr).toMatch(/^ {2}go: Go 1\.\d+ or later builds Kubernetes v1/m);
  });

  test("for KUBEBUILDER_ASSETS", () => {
    const { status, stderr } = run("run.sh", ["apiserver"], { KUBEBUILDER_ASSETS: "/nowhere" });
    expect(status).toBe(1);
    for (const name of ["etcd", "kube-apiserver"]) expect(stderr).toContain(`  /nowhere/${name}: KUBEBUILDER_ASSETS`);
  });

  test("an unknown provider is also reported", () => {
    const { status, stderr } = run("run.sh", ["node"], { CLUSTER_PROVIDER: "minikube" });
    expect(status).toBe(1);
    expect(stderr).toContain(
      "node/minikube: unknown tier (apiserver, node, machine) or provider (bare, kind, existing)",
    );
  });
});

describe.runIf(["flock", "openssl", "curl"].every(findTool))("a cluster that another run uses", () => {
  beforeAll(() => {
    mkdirSync(cluster);
    writeFileSync(join(cluster, "theirs"), "");
  });
  afterAll(() => rmSync(cluster, { recursive: true }));
  const upCommands: [string, string[]][] = [
    ["run.sh", ["apiserver"]],
    ["bare/up.sh", ["apiserver"]],
  ];

  const downCommands: [string, string[]][] = [
    ["bare/down.sh", []],
    ["kind/down.sh", []],
  ];
  test.each([...upCommands, ...downCommands])(
    "%s is rejected immediately during a run, and changes nothing",
    async (script, args) => {
      const holder = spawn("flock", [join(cache, "lock"), "sh", "-c", "echo held; exec sleep 60"], { detached: true });
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      const { status, stderr } = run(script, args, { KUBEBUILDER_ASSETS: assets });
      process.kill(-holder.pid!);
      await once(holder, "close"); // this releases the lock
      expect(stderr).toContain(`another run is using the cluster in ${cache}; wait until it has finished`);
      expect(status).toBe(1);
      expect(existsSync(join(cluster, "theirs"))).toBe(true);
    },
  );

  test.each(upCommands)("%s does not take down a running cluster, and says how to do it", (script, args) => {
    const { status, stderr } = run(script, args, { KUBEBUILDER_ASSETS: assets });
    expect(stderr).toContain(`take it down with ${scripts}bare/down.sh`);
    expect(status).toBe(1);
    expect(existsSync(join(cluster, "theirs"))).toBe(true);
  });
});

describe.runIf(["flock", "setsid"].every(findTool))(
  "the kind cluster, with stub programs that record their arguments",
  () => {
    const fake = join(folder, "fake");
    const [callsFile, node] = [join(fake, "calls"), join(fake, "node")];
    beforeAll(() => {
      mkdirSync(fake);
      // Like the real kind, this stub creates the node with a delay and takes a while.
      const does: Record<string, string> = {
        kind: `case $1 in create) sleep 1; : > ${node}; sleep 1 ;; delete) rm -f ${node} ;; esac`,
        kubectl: "exit ${KUBECTL_FAILS:-0}",
        go: "echo go1.99",
      };
      for (const name of ["docker", "jq", "skopeo", "busybox", ...Object.keys(does)]) {
        const text = `#!/bin/sh\necho "${name} $*" >> ${callsFile}\n${does[name] ?? ""}\n`;
        writeFileSync(join(fake, name), text, { mode: 0o755 });
      }
    });
    const env = { PATH: `${fake}:${process.env["PATH"]}`, CLUSTER_PROVIDER: "kind", CLUSTER_IMAGES: "real" };
    const left = () => [existsSync(node), existsSync(join(cache, "kind"))];

    test("is created and deleted; its name contains the cache directory", () => {
      expect(run("kind/up.sh", [], env)).toMatchObject({ status: 0, stdout: `${cache}/kind/kubeconfig\n` });
      expect(left()).toEqual([true, true]);
      expect(run("kind/up.sh", [], env)).toMatchObject({ status: 1, stderr: expect.stringContaining("kind/down.sh") });
      expect(run("kind/down.sh", [], env).status).toBe(0);
      expect(left()).toEqual([false, false]);
      const elsewhere = join(folder, "elsewhere");
      run("kind/up.sh", [], { ...env, ARC_PRIMER_CLUSTER_CACHE: elsewhere });
      run("kind/down.sh", [], { ...env, ARC_PRIMER_CLUSTER_CACHE: elsewhere });
      const names = readFileSync(callsFile, "utf8").matchAll(/^kind create .*--name (arc-primer-test-\w+) /gm);
      expect(new Set([...names].map(([, name]) => name)).size).toBe(2);
    }, 20_000);

    test("a node that does not become ready is an error, and everything is removed", () => {
      expect(run("kind/up.sh", [], { ...env, KUBECTL_FAILS: "1" }).status).toBe(1);
      expect(left()).toEqual([false, false]);
    }, 20_000);

    test.each([
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const)(
      "%s removes everything, even though the node is created after the first deletion",
      async (signal, code) => {
        rmSync(callsFile, { force: true });
        const up = spawn(join(scripts, "kind/up.sh"), {
          env: { HOME: folder, TMPDIR: join(folder, "tmp"), ARC_PRIMER_CLUSTER_CACHE: cache, ...env },
          stdio: "ignore",
        });
        const ended = new Promise((resolve) => up.once("exit", resolve));
        while (!existsSync(callsFile) || !readFileSync(callsFile, "utf8").includes("kind create")) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        up.kill(signal);
        expect(await ended).toBe(code);
        expect(readFileSync(callsFile, "utf8")).toMatch(/kind delete [^]*kind delete /);
        expect(left()).toEqual([false, false]);
      },
      20_000,
    );
  },
);

test.runIf(process.platform === "linux")("a leftover file and a leftover process are found", () => {
  const notes = join(folder, "notes");
  expect(run("leftovers.sh", ["note", notes])).toMatchObject({ status: 0, stderr: "" });
  mkdirSync(join(folder, "tmp/arc-primer-cluster-left"));
  mkdirSync(join(folder, "tmp/arc-primer-scripts-of-others"));
  mkdirSync(join(cache, "logs"));
  const left = spawn("sleep", ["60"], { cwd: join(cache, "logs") });
  const { status, stderr } = run("leftovers.sh", ["compare", notes]);
  left.kill();
  expect(stderr).toMatch(/^\+ file .*\/tmp\/arc-primer-cluster-left$/m);
  expect(stderr).not.toContain("of-others");
  expect(stderr).toMatch(new RegExp(String.raw`^\+ process ${left.pid} sleep 60`, "m"));
  expect(status).toBe(1);
});

test("every cluster test belongs to a tier, and .ci/run runs every tier", () => {
  const tests = readdirSync(scripts).filter((name) => name.endsWith(".test.ts"));
  const tiers = tests.map((name) => /(?:^|\.)(\w+)\.test\.ts$/.exec(name)?.[1]);
  expect([...new Set(tiers)].toSorted()).toEqual(["apiserver", "machine", "node"]);
  const ci = readFileSync(join(scripts, "../../.ci/run"), "utf8");
  for (const tier of new Set(tiers))
    expect(ci).toMatch(new RegExp(`^CLUSTER_PROVIDER=\\w+ .*test:cluster -- ${tier} `, "m"));
});

test("every version has a comment for the update bot, and no script contains a version", () => {
  const lines = readFileSync(join(scripts, "versions.env"), "utf8").split("\n");
  const versions = lines.flatMap((line, index) => {
    const [, name = "", value = ""] = /^([A-Z0-9_]+)=(\S+)/.exec(line) ?? [];
    return name ? [{ name, value, comment: lines[index - 1] }] : [];
  });
  expect(versions.length).toBeGreaterThan(15);
  const withoutComment = versions.filter(
    ({ comment = "" }) => !/^# renovate: datasource=(go|npm|golang-version|docker) depName=\S+/.test(comment),
  );
  expect(withoutComment).toEqual([]);
  const files = readdirSync(scripts, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sh"));
  const numbers = versions
    .map(({ value }) => value.replace(/^v/, "").split("+")[0]!)
    .filter((value) => /\..*\./.test(value));
  const inScripts = files.flatMap((file) => {
    const text = readFileSync(join(scripts, file), "utf8");
    return numbers.filter((number) => text.includes(number)).map((number) => `${file}: ${number}`);
  });
  expect(inScripts).toEqual([]);
});

test.runIf(haveTools("shellcheck"))("shellcheck reports no problems", { timeout: 60_000 }, () => {
  const files = readdirSync(scripts, { recursive: true, encoding: "utf8" }).filter(
    (name) =>
      name.endsWith(".sh") || (name.startsWith("kind/node/usr/local/") && statSync(join(scripts, name)).isFile()),
  );
  const { stdout, status } = spawnSync("shellcheck", files, { cwd: scripts, encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
