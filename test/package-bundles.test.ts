import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createHandover } from "../src/bundle-server/handover.ts";
import { startBundleServer } from "../src/bundle-server/server.ts";
import type { BundleServer } from "../src/bundle-server/server.ts";
import { openStore } from "../src/bundle-server/store.ts";
import type { Bundle } from "../src/bundles/bundle.ts";
import { bundleWord } from "../src/bundles/bundle.ts";
import { indexEntry, parseIndexEntry } from "../src/bundles/index-entry.ts";
import { wantedBundle } from "../src/cli/wanted-bundle.ts";
import { resolve } from "../src/config/resolve.ts";
import { scripts } from "../src/scripts/index.ts";
import { aptRepository } from "./support/apt-repository.ts";
import type { AptRepository } from "./support/apt-repository.ts";
import { observers, temporaryFolder } from "./support/bundles.ts";
import { Container, debianTree } from "./support/debian-tree.ts";
import type { Ended } from "./support/debian-tree.ts";
import { render } from "./support/helm.ts";
import { freePorts } from "./support/ports.ts";
import { haveTools } from "./support/tools.ts";

// Tests the whole path of a package without a cluster: the bundle server plans a build, a container with the chart's command
// builds with the real apt, the server publishes and serves the bundle, and a pod's init container installs it without using
// the repository. The tests act as the kubelet, which restarts the builder, and as the index.

const image = "runner:1";
const volume = "/arc-primer/prerequisites"; // where it is mounted in the containers of the tests
const { folder, remove } = temporaryFolder();
const containers: Container[] = [];
const { log, metrics, lines } = observers();
let repository: AptRepository;
let server: BundleServer;
let entry: Bundle | undefined;
let profiles: ReturnType<typeof profilesWith>;
const end = new AbortController();
let kubelet: Promise<void>;

function profilesWith(packages: string[]) {
  const source = { url: repository.url, suites: ["./"], signedBy: repository.key };
  const prerequisites = { packages, apt: { sources: [source] }, sizeLimit: "128Mi" };
  const { config, problems } = resolve({
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: { default: { prerequisites } },
  });
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}

const wanted = (largest: number) =>
  wantedBundle({ config: () => profiles, profile: "default", timeout: 60_000, largest, log });

/** Restarts the builder's container whenever it exits, each time from the image. */
async function keepBuilding(): Promise<void> {
  const packageBundles = [{ profile: "default", image }];
  const deployment = render({ packageBundles }).all.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name.includes("bundle"),
  );
  const { command } = deployment.spec.template.spec.containers.find(({ name }: { name: string }) => name === "build");
  const argv = (command as string[]).map((arg) => arg.replaceAll("/arc-primer/bundle", volume));
  while (!end.signal.aborted) {
    const one = new Container(debianTree());
    containers.push(one);
    const { code, stderr } = await one.start(argv, { volume: join(folder, "handover") }).exit;
    if (!end.signal.aborted) expect({ code, stderr }).toMatchObject({ code: 0 });
  }
}

/** Installs the packages like the init container of a pod that is offered a bundle. */
async function installInPod(bundle: Bundle): Promise<Ended> {
  const one = new Container(debianTree());
  containers.push(one);
  const pod = temporaryFolder();
  const args = wanted(2 ** 28)()!.words.flatMap((arg) => (arg === "--" ? [bundleWord(bundle), arg] : arg));
  const script = ["/bin/sh", "-c", scripts["install-packages.sh"], "arc-primer-prerequisites", `directory=${volume}`];
  return one.start([...script, ...args], { volume: pod.folder }).exit.finally(pod.remove);
}

const isRoot = process.getuid?.() === 0;
const tools = haveTools("helm", "mmdebstrap", "dpkg-deb", "apt-ftparchive", "gpg", "unshare");

describe.runIf(isRoot && tools)("a package bundle", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    debianTree(); // which may take longer than a build
    const fill = "mkdir -p usr/bin; printf '#!/bin/sh\\necho hello\\n' > usr/bin/hello; chmod 755 usr/bin/hello";
    repository = await aptRepository([{ name: "hello", fill }, { name: "other" }]);
    profiles = profilesWith(["hello"]);
    mkdirSync(join(folder, "handover"));
    const store = await openStore({ directory: join(folder, "store"), limit: 2 ** 28, clock: Date.now });
    const [port = 0] = await freePorts(1);
    server = await startBundleServer({
      handover: createHandover(join(folder, "handover"), {
        builder: scripts["build-bundle.sh"],
        installer: scripts["install-packages.sh"],
      }),
      store,
      wanted: wanted(store.maxSize),
      of: { profile: "default", image, architecture: "amd64" },
      architecture: "amd64",
      interval: 86_400_000,
      deadline: 120_000,
      index: { read: async () => entry, write: async (bundle) => void (entry = bundle) },
      url: `http://127.0.0.1:${port}`,
      port,
      opsPort: 0,
      polling: { builder: 100, index: 500 },
      clock: Date.now,
      log,
      metrics,
    });
    kubelet = keepBuilding();
  }, 300_000);
  afterAll(async () => {
    end.abort();
    for (const one of containers) one.remove(); // also kills its processes
    await kubelet;
    await server.stop(0);
    repository.close();
    remove();
  });

  /** Waits until a bundle is published that differs from the given one. */
  const published = async (previous?: Bundle): Promise<Bundle> =>
    vi.waitFor(
      () => {
        if (!entry || entry.sha256 === previous?.sha256) throw new Error(JSON.stringify(lines.slice(-5)));
        return entry;
      },
      { timeout: 60_000, interval: 100 },
    );

  test("is built, published, and installed in a pod without a request to the repository", async () => {
    const bundle = await published();
    expect(bundle.packages).toEqual(["hello 1.0"]);
    expect(parseIndexEntry(indexEntry(bundle))).toEqual(bundle);
    const before = repository.requests.length;
    const { code, stderr } = await installInPod(bundle);
    expect({ code, asked: repository.requests.length - before }).toEqual({ code: 0, asked: 0 });
    expect(stderr).toMatch(/taken from a bundle in/);
  });

  test("is still served if the next build fails, and is replaced by the next successful one", async () => {
    const first = await published();
    profiles = profilesWith(["hello", "no-such-package"]);
    await vi.waitFor(
      () =>
        expect(lines).toContainEqual(
          expect.objectContaining({ level: "error", reason: expect.stringContaining("no-such-package") }),
        ),
      { timeout: 60_000, interval: 100 },
    );
    expect(entry).toEqual(first);
    expect((await fetch(first.url)).status).toBe(200);
    profiles = profilesWith(["hello", "other"]);
    const second = await published(first);
    expect(second.packages).toEqual(["hello 1.0", "other 1.0"]);
    expect(second.settings).not.toBe(first.settings);
    expect((await fetch(first.url)).status).toBe(200);
  });
});
