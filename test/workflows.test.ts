import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { findTool, haveTools } from "./support/tools.ts";

// Tests the workflows as far as possible without GitHub. The scripts that they run have separate tests.

interface Workflow {
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, { readonly permissions?: unknown; readonly "timeout-minutes"?: number }>>;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".github/workflows");
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);

/** Whether a script can be run. Shell scripts are executed directly, all others with Node.js. */
function canBeRun(file: string): boolean {
  try {
    accessSync(file, file.endsWith(".sh") ? constants.X_OK : constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

test.runIf(haveTools("actionlint", "shellcheck"))("actionlint reports no problems", { timeout: 60_000 }, () => {
  const { stdout, stderr, status } = spawnSync(findTool("actionlint")!, ["-no-color"], { cwd: root, encoding: "utf8" });
  expect(stdout + stderr).toBe("");
  expect(status).toBe(0);
});

describe.each(workflows)("%s", (_name, text) => {
  test("pins actions by commit, with the version in a comment", () => {
    const uses = [...text.matchAll(/^ *(?:- )?uses: (?!\.\/)(.*)$/gm)].map(([, what]) => what!);
    expect(uses.filter((what) => !/^[\w-]+(\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))).toEqual([]);
  });

  test("has no permissions at the top level; each job has only the ones that it needs", () => {
    const { permissions, jobs } = parse(text) as Workflow;
    expect(permissions).toEqual({});
    expect(Object.entries(jobs).filter(([, job]) => job.permissions === undefined)).toEqual([]);
  });

  test("calls scripts that exist and are executable", () => {
    const scripts = [...text.matchAll(/(?<=[\s(])(?:scripts|test)\/[\w/-]+\.(?:sh|ts|mjs)/g)].map(([script]) => script);
    expect(scripts.filter((script) => !canBeRun(join(root, script)))).toEqual([]);
  });
});

test("all workflows pin an action to the same commit", () => {
  const all = workflows.flatMap(([, text]) => [...text.matchAll(/uses: ([\w-]+\/[\w-]+)\S*@(\S+)/g)]);
  const commits = Map.groupBy(all, ([, action]) => action);
  const several = [...commits].filter(([, uses]) => new Set(uses.map(([, , commit]) => commit)).size > 1);
  expect(several).toEqual([]);
});

test("Renovate finds every version of the test bed", () => {
  const config = JSON.parse(readFileSync(join(root, ".github/renovate.json"), "utf8")) as {
    customManagers: { managerFilePatterns: string[]; matchStrings: string[] }[];
  };
  const [manager] = config.customManagers;
  expect("test/cluster/versions.env").toMatch(new RegExp(manager!.managerFilePatterns[0]!.slice(1, -1)));
  const text = readFileSync(join(root, "test/cluster/versions.env"), "utf8");
  const found = [...text.matchAll(new RegExp(manager!.matchStrings[0]!, "g"))].map(({ groups }) => groups!);
  const lines = text.match(/^[A-Z0-9_]+=\S+/gm)!;
  expect(found.map(({ currentValue }) => currentValue)).toEqual(lines.map((line) => line.split("=")[1]));
  expect(found.find(({ depName }) => depName === "npm")!["versioning"]).toMatch(/^regex:/);
});
