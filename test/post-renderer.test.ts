import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { goldenPod } from "./support/pods.ts";
import { findTool, haveTools } from "./support/tools.ts";

// Tests deploy/helm-plugin with both versions of Helm, on a chart with runners. `npm test` builds the bundle first.

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = join(root, "dist/arc-primer.mjs");
const plugin = join(root, "deploy/helm-plugin");
const folder = mkdtempSync(join(tmpdir(), "arc-primer-post-renderer-"));
const chart = join(folder, "chart");
const config = join(root, "test/golden/dind-sidecar/config.yaml");

beforeAll(() => {
  mkdirSync(join(chart, "templates"), { recursive: true });
  mkdirSync(join(folder, "bin"));
  symlinkSync(bundle, join(folder, "bin/arc-primer"));
  const runners = {
    apiVersion: "actions.github.com/v1alpha1",
    kind: "AutoscalingRunnerSet",
    metadata: { name: "runners", namespace: "arc-runners" },
    spec: { template: { spec: goldenPod("dind-sidecar").spec } },
  };
  const other = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other } # stays\n";
  writeFileSync(join(chart, "Chart.yaml"), stringify({ apiVersion: "v2", name: "runners", version: "1.0.0" }));
  writeFileSync(join(chart, "templates/runners.yaml"), stringify(runners).replaceAll(/\{\{[^}]*\}\}/g, ""));
  writeFileSync(join(chart, "templates/other.yaml"), other);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs Helm with separate directories, so that it has only the plugins of the test. */
function helm(program: "helm" | "helm3", home: string, args: readonly string[], path: readonly string[] = []) {
  const [data, cache, settings] = ["data", "cache", "config"].map((part) => join(folder, home, part));
  const homes = { HELM_DATA_HOME: data, HELM_CACHE_HOME: cache, HELM_CONFIG_HOME: settings };
  const PATH = [...path, dirname(process.execPath), process.env["PATH"]].join(":");
  const env = { ...process.env, ...homes, PATH };
  const { status, stdout, stderr } = spawnSync(findTool(program)!, args, { env, encoding: "utf8" });
  return { status, stdout, stderr };
}

const templateArgs = ["template", "runners", chart];
const withConfig = (file: string) => ["--post-renderer-args", "--config", "--post-renderer-args", file];

/** The result, with the parts that were found: those that the profile adds to the runners, and another object. */
function outcome({ status, stdout, stderr }: ReturnType<typeof helm>) {
  const parts = {
    wait: /^ *- arc-primer-wait$/m,
    mirror: /^ *- --registry-mirror=/m,
    other: /name: other ?\} # stays$/m,
  };
  const found = Object.entries(parts).flatMap(([name, pattern]) => (pattern.test(stdout) ? [name] : []));
  return { status, stderr, found };
}
const primed = { status: 0, stderr: "", found: ["wait", "mirror", "other"] };

describe.runIf(haveTools("helm"))("Helm 4", { timeout: 60_000 }, () => {
  test("runs the plugin by its name after it is installed", () => {
    expect(helm("helm", "four", ["plugin", "install", plugin])).toMatchObject({ status: 0 });
    expect(
      outcome(helm("helm", "four", [...templateArgs, "--post-renderer", "arc-primer", ...withConfig(config)])),
    ).toEqual(primed);
  });

  test("fails if the plugin fails", () => {
    const args = [...templateArgs, "--post-renderer", "arc-primer", ...withConfig("/nowhere.yaml")];
    const { status, stdout, stderr } = helm("helm", "four", args);
    expect({ failed: status !== 0, stdout }).toEqual({ failed: true, stdout: "" });
    expect(stderr).toContain('plugin "arc-primer" exited with error');
  });

  test("runs a copy of the plugin, which runs the program in PATH", () => {
    const copy = join(folder, "copied/data/plugins/arc-primer");
    cpSync(plugin, copy, { recursive: true });
    const args = [...templateArgs, "--post-renderer", "arc-primer", ...withConfig(config)];
    expect(outcome(helm("helm", "copied", args, [join(folder, "bin")]))).toEqual(primed);
  });
});

describe.runIf(haveTools("helm3"))("Helm 3", { timeout: 60_000 }, () => {
  const script = join(plugin, "post-render.sh");

  test("runs the script", () => {
    expect(
      outcome(helm("helm3", "three", [...templateArgs, "--post-renderer", script, ...withConfig(config)])),
    ).toEqual(primed);
  });

  test("runs the program itself", () => {
    const args = [
      ...templateArgs,
      "--post-renderer",
      "arc-primer",
      "--post-renderer-args",
      "render",
      ...withConfig(config),
    ];
    expect(outcome(helm("helm3", "three", args, [join(folder, "bin")]))).toEqual(primed);
  });

  test("fails if the script fails, and says why", () => {
    const args = [...templateArgs, "--post-renderer", script, ...withConfig("/nowhere.yaml")];
    const { status, stdout, stderr } = helm("helm3", "three", args);
    expect({ failed: status !== 0, stdout }).toEqual({ failed: true, stdout: "" });
    expect(stderr).toContain("/nowhere.yaml");
  });
});

test("the npm package contains the plugin", () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
  for (const file of ["plugin.yaml", "post-render.sh"]) expect(stdout).toContain(`"deploy/helm-plugin/${file}"`);
});

test.runIf(haveTools("shellcheck"))("shellcheck reports no problems", () => {
  const { stdout } = spawnSync("shellcheck", [join(plugin, "post-render.sh")], { encoding: "utf8" });
  expect(stdout).toBe("");
});
