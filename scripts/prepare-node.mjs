// The npm scripts run TypeScript directly, which requires Node.js 22.18 or later. If the installed Node.js is older, this
// script fetches the version in .node-version with npm into .cache, and links it into node_modules/.bin, where npm scripts
// look first. It runs on old versions of Node.js and has no dependencies.
// usage: node scripts/prepare-node.mjs           (npm runs it at the end of `npm ci`)
//        node scripts/prepare-node.mjs --path    prints the path of the Node.js in .node-version, and fetches it if necessary
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const version = readFileSync(join(root, ".node-version"), "utf8").trim();

/** The path of the pinned Node.js. The package for this platform contains only the program and has no install script. */
function pinnedNode() {
  const folder = join(root, ".cache", `node-${version}`);
  const name = `node-${process.platform}-${process.arch}`;
  const program = join(folder, "node_modules", name, "bin/node");
  if (existsSync(program)) return program;
  process.stderr.write(`fetching Node.js ${version} ...\n`);
  mkdirSync(folder, { recursive: true });
  // During `npm ci`, npm_execpath is the running npm. Otherwise use the one in PATH.
  const [command, ...first] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const args = [...first, "install", "--prefix", folder, ...options, `${name}@${version}`];
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  const said = status === 0 ? spawnSync(program, ["--version"], { encoding: "utf8" }).stdout : "";
  if (said?.trim() === `v${version}`) return program;
  rmSync(folder, { recursive: true, force: true });
  const reason = error?.message ?? (status === 0 ? "it does not run on this machine" : "see npm's error above");
  throw new Error(`${name}@${version} could not be installed: ${reason}`);
}

/** Links the pinned Node.js, so that npm scripts use it as `node`. */
function link() {
  const program = pinnedNode();
  const place = join(root, "node_modules/.bin/node");
  mkdirSync(dirname(place), { recursive: true });
  rmSync(place, { force: true });
  symlinkSync(relative(dirname(place), program), place);
}

try {
  if (process.argv.includes("--path")) process.stdout.write(`${pinnedNode()}\n`);
  else if (!process.features.typescript) link();
} catch (error) {
  process.stderr.write(`prepare-node: ${error.message}
This is Node.js ${process.versions.node}; the scripts need 22.18 or later. Install a newer version or fix this error, then run npm ci again.\n`);
  process.exitCode = 1;
}
