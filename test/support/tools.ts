import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The programs that the tests run, each with its Debian package. */
const packages = {
  dash: "dash",
  bash: "bash",
  script: "bsdutils",
  busybox: "busybox",
  curl: "curl",
  docker: "docker.io",
  shellcheck: "shellcheck",
  mmdebstrap: "mmdebstrap",
  "dpkg-deb": "dpkg",
  "apt-ftparchive": "apt-utils",
  gpg: "gpg",
  unshare: "util-linux",
  jq: "jq",
  zsh: "zsh",
  fish: "fish",
} as const;

/** The programs that the tests run and test/cluster/tools.sh builds. */
type Built = "helm" | "helm3" | "kubeconform" | "actionlint" | "registry" | "validate-pods";

type Tool = keyof typeof packages | Built;

/** The cache directory of the cluster tests. Must be the same as in test/cluster/common.sh. */
export const clusterCache =
  process.env["ARC_PRIMER_CLUSTER_CACHE"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "arc-primer-cluster");

/** The path of a program in PATH or in the cache directory of the cluster tests. Undefined if not found. */
export function findTool(name: string): string | undefined {
  return [...(process.env["PATH"] ?? "").split(":"), join(clusterCache, "bin")]
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
 * Whether all these programs are available. If one is missing, the tests that need it are skipped with a message. With
 * CI=true this is an error.
 *
 * @throws {Error} if CI=true, with the command that installs the missing programs
 */
export function haveTools(...names: Tool[]): boolean {
  const missing = names.filter((name) => !findTool(name));
  if (missing.length === 0) return true;
  const message = `tests skipped, because programs are missing (${missing.join(", ")}); to install: ${howToInstall(missing)}`;
  if (process.env["CI"]) throw new Error(message);
  process.stderr.write(`${message}\n`);
  return false;
}

function howToInstall(missing: readonly Tool[]): string {
  const debian = missing.flatMap((name) => (name in packages ? [packages[name as keyof typeof packages]] : []));
  const install = debian.length > 0 ? [`apt-get install -y ${debian.join(" ")}`] : [];
  return [...install, ...(debian.length < missing.length ? ["test/cluster/tools.sh"] : [])].join("; ");
}
