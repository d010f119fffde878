import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { goldenPod } from "./support/pods.ts";
import type { Pod } from "../src/pod/types.ts";
import { findTool, haveTools } from "./support/tools.ts";

// Runs scripts/newest-arc.sh with the real Helm on two small charts that have the names of ARC's charts, each in an old and
// a new version.

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-shapes-"));
const charts = ["gha-runner-scale-set", "gha-runner-scale-set-experimental"];
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes both charts in a version, with the pods from `pod`. */
function writeCharts(version: "known" | "newest", pod: Pod): void {
  for (const name of charts) {
    const chart = join(folder, version, name);
    mkdirSync(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), stringify({ apiVersion: "v2", name, version: "1.0.0" }));
    const set = {
      apiVersion: "actions.github.com/v1alpha1",
      kind: "AutoscalingRunnerSet",
      metadata: { name: "runners", labels: { version } },
      spec: { template: { spec: pod.spec } },
    };
    writeFileSync(join(chart, "templates/set.yaml"), stringify(set).replaceAll(/\{\{[^}]*\}\}/g, ""));
  }
}

function newestArc(known: Pod, newest: Pod) {
  writeCharts("known", known);
  writeCharts("newest", newest);
  const path = `${join(folder, "bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`;
  const { status, stdout, stderr } = spawnSync(join(root, "scripts/newest-arc.sh"), [join(folder, "VERSION")], {
    env: { ...process.env, PATH: path },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe.runIf(haveTools("helm"))("ARC's newest charts", () => {
  // A chart in a directory has only one version. This stub of Helm chooses the directory by whether a version is given.
  beforeAll(() => {
    mkdirSync(join(folder, "bin"));
    const text = `#!/bin/bash
version=newest; [[ " $* " != *" --version "* ]] || version=known
exec ${findTool("helm")} "\${@//VERSION/$version}"\n`;
    writeFileSync(join(folder, "bin/helm"), text, { mode: 0o755 });
  });
  const pod = goldenPod("dind-sidecar") as Pod;

  test("with the same pods show no difference, whatever their labels", () => {
    expect(newestArc(pod, pod)).toMatchObject({ status: 0, stdout: "" });
  }, 120_000);

  test("with different pods show the differences of the pods and of the decisions", () => {
    const { status, stdout } = newestArc(pod, goldenPod("dind-shell-command") as Pod);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^-  +- --host=unix/m);
    expect(stdout).toMatch(/^- {2}registry-mirror: applied$/m);
    expect(stdout).toMatch(/^\+ {2}registry-mirror: skipped \(shell-command\)$/m);
  }, 120_000);
});

test("a chart that is not ARC's is rejected", () => {
  const chart = join(folder, "other");
  mkdirSync(chart);
  writeFileSync(join(chart, "Chart.yaml"), stringify({ apiVersion: "v2", name: "other", version: "1.0.0" }));
  const env = { ...process.env, PATH: `${process.env["PATH"]}:${dirname(findTool("helm") ?? "/")}` };
  const script = join(root, "scripts/arc-shapes.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, chart, join(folder, "out")], {
    env,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toContain(findTool("helm") ? "unknown chart other; expected gha-runner-scale-set or" : "helm");
});
