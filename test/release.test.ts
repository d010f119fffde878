import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { changesOf } from "../scripts/release/changelog.ts";
import { helm } from "./support/helm.ts";
import { findTool, haveTools } from "./support/tools.ts";

// Runs the scripts of the release workflow in a temporary checkout. Programs that would reach a registry or a cluster are
// replaced by stubs that record their arguments. Packaging uses the real Helm.

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-release-"));
const [checkout, fake] = [join(folder, "checkout"), join(folder, "bin")];
const callsFile = join(folder, "callsFile");
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const image = `registry.example.com/team/arc-primer@${digest}`;
const url = "https://git.example.com/team/arc-primer";
const changelog = `# Changelog

## Unreleased

## 1.2.3 - 2026-12-01

### Added

- A thing, see [its page](docs/thing.md),
  on two lines.
- Another.

### Fixed

- A mistake.

## 1.2.2 - 2026-11-30

- The one before.
`;

const write = (path: string, text: string) => writeFileSync(join(checkout, path), text);

/** The files that contain the version. */
function setVersions(version: string): void {
  write("package.json", JSON.stringify({ version }));
  write("package-lock.json", JSON.stringify({ version }));
  write("deploy/helm-plugin/plugin.yaml", `version: ${version}\n`);
  const chart = readFileSync(join(root, "charts/arc-primer/Chart.yaml"), "utf8");
  write(
    "charts/arc-primer/Chart.yaml",
    chart.replace(/^version: .*$/m, `version: ${version}`).replace(/^appVersion: .*$/m, `appVersion: "${version}"`),
  );
}

beforeAll(() => {
  mkdirSync(join(checkout, "charts"), { recursive: true });
  mkdirSync(join(checkout, "deploy/helm-plugin"), { recursive: true });
  mkdirSync(fake);
  cpSync(join(root, "charts/arc-primer"), join(checkout, "charts/arc-primer"), { recursive: true });
  setVersions("1.2.3");
  write("CHANGELOG.md", changelog);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script of scripts/release in the checkout. */
function run(script: string, args: readonly string[]) {
  const path = join(root, "scripts/release", script);
  const [command, first] = script.endsWith(".ts") ? [process.execPath, [path]] : [path, []];
  const tools = dirname(findTool("helm") ?? "/");
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd: checkout,
    env: { ...process.env, PATH: `${fake}:${dirname(process.execPath)}:${process.env["PATH"]}:${tools}` },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

/** Adds a stub program to PATH. It records its arguments, one line per call, and then runs this script. */
function addStub(name: string, does: string): void {
  writeFileSync(callsFile, "");
  const text = `#!/bin/sh\necho "${name} $*" >> ${callsFile}\n${does}\n`;
  writeFileSync(join(fake, name), text);
  chmodSync(join(fake, name), 0o755);
}
const removeStubs = () => readdirSync(fake).forEach((name) => rmSync(join(fake, name)));
const calls = () => readFileSync(callsFile, "utf8").trim().split("\n");

describe("the version of a tag", () => {
  test("is printed if all files of the checkout have it", () => {
    expect(run("version.ts", ["v1.2.3"])).toEqual({ status: 0, stdout: "1.2.3\n", stderr: "" });
  });

  test("is rejected, with a list of the files that have another version", () => {
    write("package.json", JSON.stringify({ version: "1.2.4" }));
    const { status, stdout, stderr } = run("version.ts", ["v1.2.5"]);
    setVersions("1.2.3");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(`version: the tag is v1.2.5, but
  package.json is 1.2.4
  package-lock.json is 1.2.3
  version in charts/arc-primer/Chart.yaml is 1.2.3
  appVersion in charts/arc-primer/Chart.yaml is 1.2.3
  deploy/helm-plugin/plugin.yaml is 1.2.3
  CHANGELOG.md has no heading "## 1.2.5 - YYYY-MM-DD"; rename "## Unreleased"
`);
  });

  test.each(["1.2.3", "v1.2", "v01.2.3", "nightly", ""])("cannot be read from the tag %j", (tag) => {
    expect(run("version.ts", [tag])).toMatchObject({ status: 1, stdout: "" });
  });

  test("is the same in all files of this checkout", () => {
    const version = (file: string) => (parse(readFileSync(join(root, file), "utf8")) as { version: string }).version;
    const files = [
      "package.json",
      "package-lock.json",
      "charts/arc-primer/Chart.yaml",
      "deploy/helm-plugin/plugin.yaml",
    ];
    expect(new Set(files.map(version)).size).toBe(1);
  });
});

describe("release notes", () => {
  test("are the section of the version", () => {
    const { status, stdout } = run("changelog.ts", ["1.2.3"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^### Added\n\n- A thing[^]*- A mistake\.\n$/);
  });

  test("are rejected for a version with no section, no date or an empty section", () => {
    write("CHANGELOG.md", `${changelog}\n## 1.2.1 - 2026-11-29\n\n## 1.2.0\n\n- Undated.\n`);
    const messages = ["1.2.1", "1.2.0", "9.9.9"].map((version) => run("changelog.ts", [version]).stderr);
    write("CHANGELOG.md", changelog);
    expect(messages[0]).toContain("the section for 1.2.1 in CHANGELOG.md is empty");
    expect(messages[1]).toContain('no heading "## 1.2.0 - YYYY-MM-DD"');
    expect(messages[2]).toContain('no heading "## 9.9.9 - YYYY-MM-DD"');
  });
});

test("every heading of the changelog is mapped to one of Artifact Hub's kinds, or is an error", () => {
  expect(changesOf("### Breaking\n\n- A value is gone.\n\n### Fixed\n\n- A mistake.\n")).toEqual([
    { kind: "changed", description: "Breaking: A value is gone." },
    { kind: "fixed", description: "A mistake." },
  ]);
  expect(() => changesOf("### Misc\n\n- A thing.\n")).toThrow(
    '"### Misc" is not a kind of change that Artifact Hub supports',
  );
});

describe.runIf(haveTools("helm"))("the package of the chart", () => {
  const out = () => join(folder, "out");

  test("has the image pinned by digest, and Artifact Hub's annotations; the checkout is not changed", () => {
    const before = readFileSync(join(checkout, "charts/arc-primer/values.yaml"), "utf8");
    const { status, stdout, stderr } = run("package-chart.sh", [image, url, out()]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const packaged = stdout.trim();
    expect(packaged).toBe(join(out(), "arc-primer-1.2.3.tgz"));
    expect(readFileSync(join(checkout, "charts/arc-primer/values.yaml"), "utf8")).toBe(before);

    const { stdout: manifests } = helm(["template", "arc-primer", packaged]);
    const images = new Set([...manifests.matchAll(/image: "?([^"\s]*arc-primer[^"\s]*)/g)].map(([, name]) => name));
    expect([...images]).toEqual([image]);

    const chart = parse(helm(["show", "chart", packaged]).stdout) as Record<string, unknown>;
    expect(chart).toMatchObject({ version: "1.2.3", home: url, sources: [url] });
    const annotations = chart["annotations"] as Record<string, string>;
    expect(annotations).toMatchObject({
      "artifacthub.io/license": "Apache-2.0",
      "artifacthub.io/prerelease": "false",
    });
    expect(parse(annotations["artifacthub.io/changes"]!)).toEqual([
      { kind: "added", description: "A thing, see its page, on two lines." },
      { kind: "added", description: "Another." },
      { kind: "fixed", description: "A mistake." },
    ]);
    expect(parse(annotations["artifacthub.io/images"]!)).toMatchObject([{ image }]);
  });

  test.each([
    ["an image without a digest", "registry.example.com/arc-primer:1.2.3", url, "with registry and digest"],
    ["an image without a registry", `arc-primer@${digest}`, url, "with registry and digest"],
    ["no address", image, "git.example.com", "is not an https URL"],
  ])("is rejected with %s", (_what, pinned, address, message) => {
    const { status, stdout, stderr } = run("package-chart.sh", [pinned, address, out()]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe.runIf(findTool("registry") && findTool("helm"))("the chart in a registry", () => {
  test("is identified by its digest, and can be pulled by it", async () => {
    const config = join(folder, "registry.yaml");
    writeFileSync(
      config,
      `version: 0.1\nstorage: { filesystem: { rootdirectory: ${join(folder, "registry")} } }\nhttp: { addr: 127.0.0.1:0 }\nlog: { level: info }\n`,
    );
    const registry = spawn(findTool("registry")!, ["serve", config]);
    try {
      const port = await new Promise<string>((resolve) => {
        let output = "";
        const read = (data: Buffer) => {
          output += data.toString();
          const [, found] = /listening on 127\.0\.0\.1:(\d+)/.exec(output) ?? [];
          if (found) resolve(found);
        };
        registry.stdout.on("data", read);
        registry.stderr.on("data", read);
      });
      const packaged = run("package-chart.sh", [image, url, join(folder, "pushed")]).stdout.trim();
      const repository = `localhost:${port}/charts`;
      const pushed = run("push-chart.sh", [packaged, `oci://${repository}`, "--plain-http"]);
      expect(pushed).toMatchObject({ status: 0 });
      expect(pushed.stdout).toMatch(new RegExp(`^${repository}/arc-primer@sha256:[0-9a-f]{64}\n$`));
      const reference = `oci://${pushed.stdout.trim()}`;
      expect(helm(["show", "chart", reference, "--plain-http"]).stdout).toContain("version: 1.2.3");

      const nowhere = run("push-chart.sh", [packaged, "oci://localhost:1/charts", "--plain-http"]);
      expect(nowhere).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("localhost:1") });
    } finally {
      registry.kill();
    }
  });
});

describe("the image", () => {
  test("is built for both platforms with SBOM and provenance, and its digest is printed", () => {
    addStub(
      "docker",
      `while [ "$1" != --metadata-file ]; do shift; done; echo '{"containerimage.digest":"${digest}"}' > "$2"; echo pushing`,
    );
    const { status, stdout } = run("build-image.sh", ["registry.example.com/team/arc-primer", "1.2.3", url, "abc123"]);
    removeStubs();
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${image}\n` });
    const [call = ""] = calls();
    for (const part of [
      "docker buildx build --pull --platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max",
      `--label org.opencontainers.image.source=${url} --annotation index:org.opencontainers.image.source=${url}`,
      "--label org.opencontainers.image.revision=abc123",
      "--tag registry.example.com/team/arc-primer:1.2.3 --push",
    ]) {
      expect(call).toContain(part);
    }
  });

  test("is an error if the build fails or reports no digest", () => {
    const args = ["registry.example.com/team/arc-primer", "1.2.3", url, "abc123"];
    for (const does of ["exit 3", `while [ "$1" != --metadata-file ]; do shift; done; echo '{}' > "$2"`]) {
      addStub("docker", does);
      const { status, stdout } = run("build-image.sh", args);
      expect([status === 0, stdout]).toEqual([false, ""]);
    }
    removeStubs();
  });
});

test("the bundle's SBOM is read from the image", () => {
  writeFileSync(join(folder, "sbom.cdx.json"), "{}\n");
  addStub("docker", `case $1 in create) echo one ;; cp) tar -C ${folder} -c sbom.cdx.json ;; esac`);
  expect(run("bundle-sbom.sh", [image])).toMatchObject({ status: 0, stdout: "{}\n" });
  expect(calls()).toEqual([`docker create ${image}`, "docker cp one:/app/sbom.cdx.json -", "docker rm one"]);
  addStub("docker", "exit 1");
  expect(run("bundle-sbom.sh", [image])).toMatchObject({ status: 1, stdout: "" });
  removeStubs();
});

test("the release notes contain the install command and the published digests", () => {
  const chart = `registry.example.com/charts/arc-primer@${digest}`;
  const { stdout } = run("install-notes.sh", ["oci://registry.example.com/charts/arc-primer", "1.2.3", image, chart]);
  expect(stdout).toContain("helm install arc-primer oci://registry.example.com/charts/arc-primer --version 1.2.3 ");
  for (const what of [image, chart]) expect(stdout).toContain(`- \`${what}\``);
});

test("a signature must be from the release workflow of the repository", () => {
  addStub("cosign", "");
  expect(run("verify.sh", [image, url]).status).toBe(0);
  removeStubs();
  const [, identity = ""] = /--certificate-identity-regexp (\S+)/.exec(calls()[0]!) ?? [];
  expect(`${url}/.github/workflows/release.yml@refs/tags/v1.2.3`).toMatch(new RegExp(identity));
  expect(`${url}-x/.github/workflows/release.yml@refs/tags/v1.2.3`).not.toMatch(new RegExp(identity));
  expect(`${url}/.github/workflows/release.yml@refs/heads/main`).not.toMatch(new RegExp(identity));
});

describe("the published chart on a cluster", () => {
  test("is installed with its default values, and tested", () => {
    addStub("kubectl", "");
    addStub("helm", "");
    expect(run("try-chart.sh", ["oci://registry.example.com/charts/arc-primer", "1.2.3"]).status).toBe(0);
    expect(calls()).toEqual([
      "helm install arc-primer oci://registry.example.com/charts/arc-primer --version 1.2.3 --namespace arc-primer --create-namespace --wait --timeout 5m",
      "helm test arc-primer --namespace arc-primer --timeout 5m",
    ]);
  });

  test("fails if it does not work, and prints the pods and the log", () => {
    addStub("kubectl", "echo the pods");
    addStub("helm", "exit 1");
    const { status, stderr } = run("try-chart.sh", ["oci://registry.example.com/charts/arc-primer", "1.2.3"]);
    removeStubs();
    expect(status).toBe(1);
    expect(stderr).toContain("the pods");
    expect(calls().filter((call) => call.startsWith("helm test"))).toEqual([]);
  });
});

test.runIf(haveTools("shellcheck"))("shellcheck reports no problems", () => {
  const scripts = ["scripts/release", "scripts"].flatMap((place) =>
    readdirSync(join(root, place))
      .filter((name) => name.endsWith(".sh"))
      .map((name) => join(place, name)),
  );
  expect(scripts.length).toBeGreaterThan(4);
  expect(spawnSync("shellcheck", scripts, { cwd: root, encoding: "utf8" }).stdout).toBe("");
});
