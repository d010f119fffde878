import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { upwardRules, cycles, forbiddenImports, readSources } from "./support/imports.ts";
import type { Rules } from "./support/imports.ts";

// The imports that each folder of src/ may have. Imports, including types, may only refer to folders further down in this
// table. Any other import is an error. Folders without a `node:` module are pure; .oxlintrc.json restricts their globals.

const rules: Rules = {
  main: { folders: ["cli", "files"] },
  cli: {
    folders: ["mutations", "webhook", "cluster", "manifests", "engine", "report", "config", "tls", "pod"].concat(
      ["scripts", "bundle-server", "bundles"],
      ["log", "metrics", "watch", "files"], // for the process itself
    ),
    libraries: ["@bomb.sh/tab", "commander", "diff", "fast-json-patch", "yaml"].concat(
      ["node:fs", "node:fs/promises", "node:https", "node:os", "node:path", "node:stream/consumers"],
      ["node:url", "node:util"],
    ),
  },
  mutations: { folders: ["engine", "bundles", "docker", "registries", "pod", "scripts"], types: ["report", "config"] },
  webhook: {
    folders: ["engine", "report", "tls"],
    types: ["bundles", "config", "pod", "log", "metrics", "node:net", "node:tls"],
    libraries: ["express", "zod", "node:events", "node:http", "node:https", "node:timers/promises"],
  },
  cluster: {
    folders: ["bundles", "engine", "report", "config", "pod"],
    libraries: ["@kubernetes/client-node", "node:crypto", "node:fs", "node:http", "node:https", "node:net"].concat(
      ["node:path", "node:stream", "node:tls"], //
    ),
  },
  "bundle-server": {
    folders: ["bundles", "tls", "metrics"],
    types: ["log", "node:net", "node:stream"],
    libraries: ["prom-client", "node:crypto", "node:events", "node:fs", "node:fs/promises", "node:http"].concat(
      ["node:path", "node:stream/promises", "node:timers/promises"], //
    ),
  },
  manifests: { types: ["engine", "report"], libraries: ["fast-json-patch", "yaml"] },
  engine: { folders: ["report", "pod"], types: ["bundles", "config"], libraries: ["fast-json-patch"] },
  report: { folders: ["pod"], libraries: ["zod"] },
  bundles: { folders: ["pod"], types: ["config"], libraries: ["zod", "node:crypto"] }, // node:crypto only for its hash
  config: { folders: ["registries", "pod"], libraries: ["yaml", "zod", "node:crypto"] },
  docker: { folders: ["pod"] },
  registries: { folders: ["pod"] },
  pod: { folders: ["scripts"], types: ["kubernetes"], libraries: ["fast-json-patch", "zod"] },
  scripts: {},
  tls: {
    folders: ["watch"],
    types: ["log", "metrics"],
    libraries: ["@kubernetes/client-node", "@peculiar/x509", "reflect-metadata"].concat(
      ["node:crypto", "node:fs/promises", "node:https", "node:net", "node:tls"], //
    ),
  },
  watch: { folders: ["files"], libraries: ["node:fs/promises", "node:path"] },
  files: { libraries: ["node:fs/promises"] },
  metrics: { libraries: ["prom-client"] },
  log: { libraries: ["pino"] },
  kubernetes: { types: ["@kubernetes/client-node"] },
};
const sources = readSources(fileURLToPath(new URL("../src/", import.meta.url)));

describe("src/", () => {
  test("has a rule for each folder, and no rule for a missing folder", () => {
    const folders = Object.keys(sources).map((file) => file.split("/")[0]!.replace(/\.ts$/, ""));
    expect(Object.keys(rules).toSorted()).toEqual([...new Set(folders)].toSorted());
  });
  test("imports only what the rules allow", () => expect(forbiddenImports(sources, rules)).toEqual([]));
  test("has only rules that refer to folders further down", () => expect(upwardRules(rules)).toEqual([]));
  test("has no cycle of files or of folders", () => expect(cycles(sources)).toEqual([]));
});

describe("an import that is not allowed is found:", () => {
  test.each<[string, string, string, string]>([
    ["a folder above", "pod/x.ts", 'import { a } from "../mutations/index.ts";', "pod may not import mutations"],
    ["its types", "pod/x.ts", 'import type { A } from "../engine/run.ts";', "pod may not import engine"],
    [
      "values where only types are allowed",
      "engine/x.ts",
      'import { a } from "../config/load.ts";',
      "values from config",
    ],
    ["a re-export", "docker/x.ts", 'export { a } from "../report/reasons.ts";', "docker may not import report"],
    [
      "an import over several lines",
      "report/x.ts",
      'import {\n  a,\n  b,\n} from "../engine/run.ts";',
      "report may not",
    ],
    ["import()", "engine/x.ts", 'const a = await import("../mutations/index.ts");', "engine may not import mutations"],
    ["the type of import()", "pod/x.ts", 'type A = import("../engine/run.ts").A;', "pod may not import engine"],
    ["a Node module", "pod/x.ts", 'import { readFileSync } from "node:fs";', "pod may not import node:fs"],
    ["a Node module without node:", "pod/x.ts", 'import { readFileSync } from "fs";', "pod may not import fs"],
    ["a library", "pod/x.ts", 'import express from "express";', "pod may not import express"],
    ["a part of a library", "pod/x.ts", 'import { a } from "zod/mini";', "pod may not import zod/mini"],
    ["a file directly in src/", "pod/x.ts", 'import { watchFiles } from "../watch.ts";', "pod may not import watch"],
    ["a folder without a rule", "new/x.ts", "", "there is no rule for new"],
  ])("%s", (_what, file, source, message) => {
    expect(forbiddenImports({ [file]: source }, rules)).toEqual([expect.stringContaining(`${file}: `)]);
    expect(forbiddenImports({ [file]: source }, rules)[0]).toContain(message);
  });

  test("allowed imports pass", () => {
    const source =
      'import { a } from "./env.ts";\nimport * as z from "zod";\nimport type { B } from "../kubernetes.ts";';
    expect(forbiddenImports({ "pod/x.ts": source }, rules)).toEqual([]);
  });
});

test("a rule that refers to a folder further up is found", () => {
  expect(upwardRules({ top: {}, bottom: { types: ["top"] } })).toEqual(["bottom may import top, which is above it"]);
});

describe("a cycle is found:", () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      "of files, through types only",
      { "pod/a.ts": 'import type { B } from "./b.ts";', "pod/b.ts": 'import type { A } from "./a.ts";' },
      ["pod/a.ts -> pod/b.ts -> pod/a.ts"],
    ],
    [
      "of folders, but not of files",
      {
        "pod/a.ts": 'import type { B } from "../docker/b.ts";',
        "docker/b.ts": "",
        "docker/c.ts": 'import { d } from "../pod/d.ts";',
        "pod/d.ts": "",
      },
      ["pod -> docker -> pod"],
    ],
  ])("%s", (_what, files, want) => expect(cycles(files)).toEqual(want));
});

describe("the linter keeps the pure folders pure:", () => {
  const root = mkdtempSync(join(tmpdir(), "arc-primer-lint-"));
  const project = fileURLToPath(new URL("../", import.meta.url));
  copyFileSync(join(project, ".oxlintrc.json"), join(root, ".oxlintrc.json"));
  afterAll(() => rmSync(root, { recursive: true }));

  function lint(file: string, source: string): string {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), source);
    const { stdout, stderr } = spawnSync(join(project, "node_modules/.bin/oxlint"), ["--format=unix", file], {
      cwd: root,
      encoding: "utf8",
    });
    return stdout + stderr;
  }

  const impure = ["process", "Date", "globalThis", "crypto", "setImmediate", "queueMicrotask"].concat(
    ["setTimeout", "setInterval", "performance", "fetch", "console", "Buffer", "global", "require"], //
  );
  const uses = [...impure.map((name) => [name, `${name};`]), ["Math.random", "Math.random();"]] as const;

  test.each(["engine", "report", "mutations", "docker", "registries", "pod"])("src/%s", (folder) => {
    const source = uses.map(([, use], index) => `export const a${index} = () => ${use}`).join("\n");
    const output = lint(`src/${folder}/probe.ts`, `${source}\n`);
    const found = output.split("\n").filter((line) => /no-restricted-(globals|properties)/.test(line));
    const missed = uses.filter((_, index) => !found.some((line) => line.includes(`probe.ts:${index + 1}:`)));
    expect(missed).toEqual([]);
  });

  test("pure code passes, and other folders may use these globals", () => {
    expect(lint("src/pod/fine.ts", 'export const a = () => JSON.stringify(Math.max(1, "ab".length));\n')).toBe("");
    expect(lint("src/cli/fine.ts", "export const a = () => Date.now() + Math.random();\n")).toBe("");
  });
});
