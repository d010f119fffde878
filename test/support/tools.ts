import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** What the tests run for real, and the Debian package that brings each. */
const packages = {
  dash: "dash",
  bash: "bash",
  busybox: "busybox",
  curl: "curl",
  docker: "docker.io",
  shellcheck: "shellcheck",
  mmdebstrap: "mmdebstrap",
  "dpkg-deb": "dpkg",
  "apt-ftparchive": "apt-utils",
  gpg: "gpg",
  unshare: "util-linux",
} as const;

type Tool = keyof typeof packages;

/** Where a program is, or undefined. */
export function findTool(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Whether all these programs are here. Where one is not, the tests that need it are left out, saying so; with CI=true
 * that is an error.
 *
 * @throws {Error} under CI=true, naming the command that installs what is missing
 */
export function haveTools(...names: Tool[]): boolean {
  const missing = names.filter((name) => !findTool(name));
  if (missing.length === 0) return true;
  const message = `left out for want of ${missing.join(", ")}: apt-get install -y ${missing.map((name) => packages[name]).join(" ")}`;
  if (process.env["CI"]) throw new Error(message);
  process.stderr.write(`${message}\n`);
  return false;
}
