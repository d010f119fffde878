import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { scripts } from "../src/scripts/index.ts";
import { aptRepository } from "./support/apt-repository.ts";
import type { AptRepository } from "./support/apt-repository.ts";
import { Container, debianTree } from "./support/debian-tree.ts";
import type { Started } from "./support/debian-tree.ts";
import { schemaLocation, writeSchemas } from "./support/kubernetes-schemas.ts";
import { profileWith } from "./support/pods.ts";
import { freeLowPort } from "./support/ports.ts";
import { clusterCache, findTool, haveTools } from "./support/tools.ts";

// Tests docs/guides/apt-cache.md: its manifests are valid, and Debian's apt-cacher-ng, which they run, serves the apt of
// arc-primer and the job's own apt.

const page = readFileSync(new URL("../docs/guides/apt-cache.md", import.meta.url), "utf8");
const [, manifests = ""] = /```yaml\n# manifests\n([^]*?)```/.exec(page) ?? [];

interface Deployment {
  kind: string;
  spec: {
    template: { spec: { securityContext: { runAsUser: number }; containers: { command: string[]; args: string[] }[] } };
  };
}
const { spec } = parseAllDocuments(manifests)
  .map((document) => document.toJS() as Deployment)
  .find(({ kind }) => kind === "Deployment")!.spec.template;

test.runIf(haveTools("kubeconform"))("the manifests are valid", () => {
  const schemas = mkdtempSync(join(tmpdir(), "arc-primer-schemas-"));
  try {
    writeSchemas(join(clusterCache, "api"), schemas);
    const args = ["-strict", "-summary", "-output=json", "-schema-location", schemaLocation(schemas)];
    const { stdout } = spawnSync(findTool("kubeconform")!, args, { encoding: "utf8", input: manifests });
    expect(JSON.parse(stdout)).toMatchObject({ summary: { valid: 4, invalid: 0, errors: 0, skipped: 0 } });
  } finally {
    rmSync(schemas, { recursive: true });
  }
});

test("the profile is valid", () => {
  const [, profile = ""] = /```yaml\n# profile\n([^]*?)```/.exec(page) ?? [];
  expect(profileWith(parse(profile) as object).prerequisites.apt.keep).toBe(true);
});

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot && haveTools("mmdebstrap", "dpkg-deb", "apt-ftparchive", "gpg", "unshare"))(
  "packages through apt-cacher-ng",
  { timeout: 60_000 },
  () => {
    const root = mkdtempSync(join(tmpdir(), "arc-primer-apt-cache-"));
    const containers: Container[] = [];
    let repository: AptRepository;
    let cache: Started | undefined;
    let port: number;

    const container = () => (containers.push(new Container(debianTree())), containers.at(-1)!);
    const folder = () => {
      const path = mkdtempSync(join(root, "volume-"));
      chmodSync(path, 0o777);
      return path;
    };

    beforeAll(async () => {
      repository = await aptRepository(
        [
          { name: "hello", fill: "mkdir -p usr/share/hello; head -c 100000 /dev/urandom > usr/share/hello/data" },
          { name: "later", fill: "mkdir -p usr/share/later; head -c 100000 /dev/urandom > usr/share/later/data" },
        ],
        await freeLowPort(),
      );
      port = await freeLowPort();
      const [{ command, args } = { command: [], args: [] }] = spec.containers;
      // In this test, the volume is mounted at another path, and the cache and the repository have other ports.
      const argv = [...command, ...args, "AllowUserPorts=0"].map((arg) =>
        arg.replace("Port=3142", `Port=${port}`).replace("=/cache", "=/arc-primer/prerequisites"),
      );
      const daemon = container();
      await daemon.start(["rm", "/etc/apt-cacher-ng/security.conf"], { volume: folder() }).exit;
      cache = daemon.start(argv, { volume: folder(), uid: spec.securityContext.runAsUser });
      await vi.waitFor(
        async () =>
          new Promise<void>((resolve, reject) => {
            connect(port, "127.0.0.1", resolve).once("error", reject);
          }),
        10_000,
      );
    }, 180_000);
    afterAll(async () => {
      cache?.kill("SIGTERM");
      await cache?.exit;
      repository.close();
      for (const one of containers) one.remove();
      rmSync(root, { recursive: true });
    }, 60_000);

    /** Installs `hello` through the cache, as an init container does. */
    async function install() {
      const source = [`key=${repository.key}`, `source=Types: deb\nURIs: ${repository.url}\nSuites: ./`];
      const settings = [
        "directory=/arc-primer/prerequisites",
        "on-failure=fail",
        "timeout=60",
        "size-limit=1000000000",
      ];
      const args = [...settings, `proxy=http://127.0.0.1:${port}`, ...source, "--", "hello"];
      const command = ["/bin/sh", "-c", scripts["install-packages.sh"], "arc-primer-prerequisites", ...args];
      return container().start(command, { volume: folder() }).exit;
    }

    test("the packages of the second pod come from the cache", async () => {
      const debs = () => repository.requests.filter((path) => path.endsWith("hello_1.0_all.deb")).length;
      expect(await install()).toMatchObject({ code: 0 });
      expect(debs()).toBe(1);
      expect(await install()).toMatchObject({ code: 0 });
      expect(debs()).toBe(1);
    });

    test("with apt.keep, the job's own apt-get also uses the cache", async () => {
      const list = `deb [trusted=yes] ${repository.url} ./`;
      const job = `echo '${list}' | sudo tee /etc/apt/sources.list > /dev/null; sudo apt-get -q update && sudo apt-get -q -y install later`;
      const apply = [
        "/bin/sh",
        "-c",
        scripts["apply-packages.sh"],
        "arc-primer-packages",
        `proxy=http://127.0.0.1:${port}`,
      ];
      const debs = () => repository.requests.filter((path) => path.endsWith("later_1.0_all.deb")).length;
      for (let pod = 0; pod < 2; pod += 1) {
        const argv = [...apply, "--", "sh", "-c", job];
        const ended = await container().start(argv, { volume: folder(), uid: 1001, mode: "ro" }).exit;
        expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("Setting up later") });
        expect(debs()).toBe(1);
      }
    });
  },
);
