import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Containers without a container runtime: an overlay over a tree of Debian packages, with namespaces and chroot. The program
// in a container runs as process 1, as in a pod.

const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));

export function run(command: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...(input && { input }) });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}

/**
 * A root filesystem like that of a runner image: a small Debian with sudo and a user `runner` (1001) who may use it, and
 * with the programs that tests run in it. It is built once, in about 30 s, and cached.
 */
export function debianTree(): string {
  const recipe = [
    "--quiet",
    "--variant=minbase",
    "--include=sudo,libcap2-bin,busybox,curl,python3,apt-cacher-ng",
    // As in slim images.
    '--customize-hook=rm -rf "$1"/usr/share/man "$1"/usr/share/doc "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*',
    '--customize-hook=chroot "$1" useradd --create-home --uid 1001 runner',
    '--customize-hook=echo "runner ALL=(ALL) NOPASSWD:ALL" > "$1/etc/sudoers.d/runner"',
    // The tests use their own repository.
    '--customize-hook=rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
    "bookworm",
  ];
  const key = createHash("sha256").update(recipe.join()).digest("hex").slice(0, 12);
  const tree = join(cache, `debian-tree-${key}`);
  if (existsSync(tree)) return tree;
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, "debian-tree-partial-"));
  run("mmdebstrap", [...recipe.slice(0, -1), "--format=directory", recipe.at(-1)!, partial]);
  run("chmod", ["755", partial]);
  try {
    renameSync(partial, tree);
  } catch (error) {
    if (!existsSync(tree)) throw error; // otherwise, another test has created it in the meantime
    rmSync(partial, { recursive: true });
  }
  return tree;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface Started {
  /** Sends a signal to process 1. */
  kill(signal: NodeJS.Signals): void;
  exit: Promise<Ended>;
}

const setup = `
set -eu
lower=$1 folder=$2 volume=$3 mode=$4 mounts=$5
shift 5
mount --make-rprivate /
mount -t overlay -o "lowerdir=$lower,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/merged"
mount -t proc proc "$folder/merged/proc"
mount --rbind /dev "$folder/merged/dev"
echo "127.0.0.1 localhost $(uname -n)" > "$folder/merged/etc/hosts"
mkdir -p "$folder/merged/arc-primer/prerequisites"
case $mode in
  full) mount -t tmpfs -o size=10m,mode=777 full "$folder/merged/arc-primer/prerequisites" ;;
  *) mount --bind "$volume" "$folder/merged/arc-primer/prerequisites" ;;
esac
[ "$mode" != ro ] || mount -o remount,bind,ro "$folder/merged/arc-primer/prerequisites"
for path in $mounts; do
  if [ -f "$folder/merged$path" ]; then cp "$folder/merged$path" "$folder/mounted"
  else mkdir -p "$folder/mounted" "$folder/merged$path"; fi
  mount --bind "$folder/mounted" "$folder/merged$path"
done
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
`;

/** A container: an overlay over trees, topmost first. Files that are written to it persist between calls of `start`. */
export class Container {
  readonly folder = mkdtempSync(join(tmpdir(), "arc-primer-container-"));
  readonly #lower: string;
  readonly #running = new Set<ChildProcess>();

  constructor(...lower: string[]) {
    this.#lower = lower.join(":");
    for (const name of ["upper", "work", "merged"]) mkdirSync(join(this.folder, name));
  }

  /** The files that were written to the container, as a tree for another overlay. */
  get layer(): string {
    return join(this.folder, "upper");
  }

  /**
   * @param options.volume the directory to mount at /arc-primer/prerequisites; with `mode` `full`, a small tmpfs instead
   * @param options.mount a path at which to mount a separate volume of this container (`mounted` in `folder`)
   */
  start(
    command: readonly string[],
    options: { volume: string; mode?: "rw" | "ro" | "full"; uid?: number; env?: string[]; mount?: string },
  ): Started {
    const { volume, mode = "rw", uid = 0, env = [], mount = "" } = options;
    const enter = [...env, "chroot", `--userspec=${uid}:${uid}`, join(this.folder, "merged"), ...command];
    const args = ["--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", setup, "sh"];
    const began = performance.now();
    const child = spawn("unshare", [...args, this.#lower, this.folder, volume, mode, mount, ...enter], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    return {
      kill(signal) {
        const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
        process.kill(Number(children.split(" ")[0]), signal);
      },
      exit: new Promise((resolve) => {
        child.once("close", (code) => {
          resolve({ code, stdout, stderr, seconds: (performance.now() - began) / 1000 });
        });
      }),
    };
  }

  /** Kills processes that still run in it, for example after a test timeout, and removes its files. */
  remove(): void {
    for (const child of this.#running) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Lists a container's files, to compare them with those of another container: type, mode, owner, links, time, content and
 * capabilities.
 *
 * @param volume the directory to mount while the files are listed
 */
export async function filesOf(one: Container, volume: string): Promise<string[]> {
  const excluded =
    "-path ./proc -o -path ./dev -o -path ./sys -o -path ./tmp -o -path ./run -o -path ./arc-primer -o -path './var/lib/apt/lists/*' -o -path './var/cache/*' -o -path ./mnt -o -path ./etc/hosts";
  const script = `cd /; find . '(' ${excluded} ')' -prune -o -type d -printf '%y %m %U:%G %p\\n' -o -printf '%y %m %U:%G %n %Ts %l %p\\n'
    find . '(' ${excluded} ')' -prune -o -type f -print0 | xargs -0 sha256sum; getcap -r /usr`;
  const { stdout, code, stderr } = await one.start(["/bin/sh", "-c", script], { volume }).exit;
  if (code !== 0 || stderr !== "") throw new Error(`the files could not be listed (${code}): ${stderr}`);
  return stdout.split("\n").toSorted();
}

export interface DebianPackage {
  name: string;
  version?: string;
  /** Additional lines for the control file. */
  control?: string;
  /** A shell script that creates the package's files in its working directory. */
  fill?: string;
  postinst?: string;
}

/** Builds a package in a directory, with the real dpkg-deb. */
export function buildPackage(
  folder: string,
  { name, version = "1.0", control, fill, postinst }: DebianPackage,
): string {
  const root = mkdtempSync(join(tmpdir(), "arc-primer-package-"));
  mkdirSync(join(root, "DEBIAN"));
  const fields = [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: all",
    "Maintainer: nobody <nobody@example.com>",
    ...(control ? [control] : []),
    "Description: for a test",
    "",
  ];
  writeFileSync(join(root, "DEBIAN/control"), fields.join("\n"));
  if (postinst) writeFileSync(join(root, "DEBIAN/postinst"), `#!/bin/sh\nset -e\n${postinst}\n`, { mode: 0o755 });
  if (fill) run("sh", ["-euc", `cd "$1"\n${fill}`, "sh", root]);
  const file = join(folder, `${name}_${version}_all.deb`);
  run("dpkg-deb", ["--build", "--root-owner-group", "-Znone", root, file]);
  rmSync(root, { recursive: true });
  return file;
}
