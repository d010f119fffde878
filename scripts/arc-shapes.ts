// Renders the runner pods of ARC's chart in each of its modes, and arc-primer's report on them, to a directory. Comparing
// the directories of two chart versions shows what has changed. Needs Helm, and the bundle (`npm run build`).
// usage: node scripts/arc-shapes.ts CHART FOLDER [HELM OPTION...]
//   CHART is a directory, a package or oci://…/gha-runner-scale-set (or …-experimental). Helm's option --version selects
//   the version
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments, stringify } from "yaml";

type Values = Readonly<Record<string, unknown>>;

const url = "https://github.com/example/example";
const proxy = { https: { url: "http://proxy.example.com:3128" }, noProxy: ["example.com"] };
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };

/** The Helm values for each mode, by chart name. */
const modes: Readonly<Record<string, Readonly<Record<string, Values>>>> = {
  "gha-runner-scale-set": Object.fromEntries(
    Object.entries({
      default: {},
      dind: { containerMode: { type: "dind" } },
      "dind-proxy": { containerMode: { type: "dind" }, proxy },
      kubernetes: { containerMode: { type: "kubernetes", kubernetesModeWorkVolumeClaim: claim } },
      "kubernetes-novolume": { containerMode: { type: "kubernetes-novolume" } },
    }).map(([mode, values]) => [
      mode,
      {
        githubConfigUrl: url,
        githubConfigSecret: "github",
        controllerServiceAccount: { namespace: "arc-systems", name: "arc-controller" },
        ...values,
      },
    ]),
  ),
  "gha-runner-scale-set-experimental": Object.fromEntries(
    Object.entries({
      default: {},
      dind: { runner: { mode: "dind" } },
      kubernetes: { runner: { mode: "kubernetes" } },
    }).map(([mode, values]) => [
      mode,
      {
        auth: { url, secretName: "github" },
        controllerServiceAccount: { namespace: "arc-systems", name: "arc-controller" },
        ...values,
      },
    ]),
  ),
};

/** Runs a program and waits for it. @throws {Error} with its stderr if it fails */
function run(command: string, args: readonly string[], input = ""): { stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: "utf8" });
  if (status === 0) return { stdout, stderr };
  throw new Error(`${[command, ...args].join(" ")} failed:\n${error?.message ?? stderr}`);
}

function main([chart = "", folder = "", ...options]: string[]): void {
  if (!chart || !folder) throw new Error("usage: arc-shapes.ts CHART FOLDER [HELM OPTION...]");
  const { name, version } = parse(run("helm", ["show", "chart", chart, ...options]).stdout) as Record<string, string>;
  const known = modes[name ?? ""];
  if (!known) throw new Error(`${chart}: unknown chart ${name}; expected ${Object.keys(modes).join(" or ")}`);
  const program = fileURLToPath(new URL("../dist/arc-primer.mjs", import.meta.url));
  const config = fileURLToPath(new URL("../test/golden/docker-injected-every-setting/config.yaml", import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [mode, values] of Object.entries(known)) {
    const args = ["template", "runners", chart, "--namespace", "arc-runners", "--values", "-", ...options];
    const manifests = run("helm", args, JSON.stringify(values)).stdout;
    const templates = parseAllDocuments(manifests).flatMap((document) => {
      const { kind, spec } = (document.toJS() ?? {}) as { kind?: string; spec?: { template?: unknown } };
      return kind === "AutoscalingRunnerSet" && spec?.template ? [spec.template] : [];
    });
    if (templates.length === 0) throw new Error(`${name} ${version} renders no AutoscalingRunnerSet in mode ${mode}`);
    const { stderr: report } = run(process.execPath, [program, "render", "--config", config], manifests);
    writeFileSync(join(folder, `${mode}.yaml`), templates.map((template) => stringify(template)).join("---\n"));
    writeFileSync(join(folder, `${mode}.report.txt`), report);
  }
  process.stdout.write(`${name} ${version}: ${Object.keys(known).join(", ")}\n`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`arc-shapes: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
