import { spawnSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

// Runs scripts/prepare-node.mjs in a temporary project, with a stub of npm that installs a shell script as Node.js.

const script = fileURLToPath(new URL("../scripts/prepare-node.mjs", import.meta.url));
const fakeNpm = `
import { mkdirSync, writeFileSync } from "node:fs";
const folder = process.argv[process.argv.indexOf("--prefix") + 1];
const [name, version] = process.argv.at(-1).split("@");
if (version === "0.0.1") { process.stderr.write("npm error 404\\n"); process.exit(1); }
const bin = folder + "/node_modules/" + name + "/bin";
mkdirSync(bin, { recursive: true });
writeFileSync(bin + "/node", "#!/bin/sh\\necho v24.99.0\\n", { mode: 0o755 });
process.stdout.write("added 1 package\\n");
`;

let project = "";
const link = () => join(project, "node_modules/.bin/node");
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "arc-primer-prepare-node-")));
  mkdirSync(join(project, "scripts"));
  cpSync(script, join(project, "scripts/prepare-node.mjs"));
  writeFileSync(join(project, "npm.mjs"), fakeNpm);
  writeFileSync(join(project, ".node-version"), "24.99.0\n");
});
afterEach(() => rmSync(project, { recursive: true }));

/** Runs the script. An old Node.js is one that cannot run TypeScript. */
function prepare(node: "old" | "new", ...args: string[]) {
  const flags = node === "old" ? ["--no-experimental-strip-types"] : [];
  const env = { ...process.env, npm_execpath: join(project, "npm.mjs") };
  const run = spawnSync(process.execPath, [...flags, join(project, "scripts/prepare-node.mjs"), ...args], {
    env,
    encoding: "utf8",
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

describe("npm ci", () => {
  test("downloads nothing if Node.js is new enough", () => {
    expect(prepare("new")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect([existsSync(join(project, "node_modules")), existsSync(join(project, ".cache"))]).toEqual([false, false]);
  });

  test("downloads the pinned Node.js once and links it where it is found before an old one", () => {
    expect(prepare("old")).toEqual({ status: 0, stdout: "", stderr: "fetching Node.js 24.99.0 ...\n" });
    expect(spawnSync(link(), ["--version"], { encoding: "utf8" }).stdout).toBe("v24.99.0\n");
    rmSync(join(project, "node_modules"), { recursive: true }); // as npm ci does
    expect(prepare("old")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(lstatSync(link()).isSymbolicLink()).toBe(true);
  });

  test.each([
    ["0.0.1", "see npm's error above"],
    ["24.98.0", "it does not run on this machine"],
  ])("fails, and says what to do, if Node.js %s cannot be installed", (version, reason) => {
    writeFileSync(join(project, ".node-version"), version);
    const { status, stderr } = prepare("old");
    expect(status).toBe(1);
    expect(stderr).toContain(`@${version} could not be installed: ${reason}`);
    expect(stderr).toContain("the scripts need 22.18 or later");
    expect(existsSync(link())).toBe(false);
    expect(existsSync(join(project, `.cache/node-${version}`))).toBe(false);
  });
});

test("--path prints the path of the pinned Node.js, whatever version runs the script", () => {
  const { status, stdout } = prepare("new", "--path");
  expect(status).toBe(0);
  expect(spawnSync(stdout.trim(), ["--version"], { encoding: "utf8" }).stdout).toBe("v24.99.0\n");
  expect(existsSync(link())).toBe(false);
});
