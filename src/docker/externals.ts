import { isSidecar } from "../pod/containers.ts";
import { emptyDirsOf, positionOf, trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { baseName, shells } from "./dockerd.ts";

/** An init container that copies the runner's externals into a volume, to provide them to Docker. */
export interface ExternalsCopy {
  /** The init container, which does nothing but copy. */
  readonly container: Container;
  /** The directory in its image that it copies, without leading and trailing slashes: `home/runner/externals`. */
  readonly folder: string;
  /** The name of the emptyDir volume that it copies to. */
  readonly volume: string;
}

export type ExternalsObstacle = "no-externals-copy" | "externals-copy-unknown" | "externals-shared";

/**
 * Finds the init container that copies the runner's externals. It recognizes the command in ARC's two charts
 * (`cp -r FOLDER/. TARGET/`, as command and args or only as command), the one in GitHub's documentation (with more flags),
 * and a shell that runs only this command.
 *
 * @param dind the container that uses the copy
 * @returns the copy, or the reason why there is no copy that can be replaced
 */
export function findExternalsCopy(pod: Pod, dind: Container): ExternalsCopy | ExternalsObstacle {
  const initContainers = (pod.spec.initContainers ?? []).filter((one) => !isSidecar(one));
  const container = initContainers.find(mentionsExternals);
  if (!container) return "no-externals-copy";
  const paths = copiedPaths(argvOf(container));
  const mount = paths && container.volumeMounts?.find((one) => positionOf(one, paths.target) === "at");
  if (!paths || !mount || mount.subPath || mount.subPathExpr) return "externals-copy-unknown";

  const { name: volume } = mount;
  const otherUsers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter(({ name, volumeMounts }) => {
    const isExpected = name === container.name || name === dind.name;
    return !isExpected && volumeMounts?.some((one) => one.name === volume);
  });
  const dindMounts = dind.volumeMounts?.filter((one) => one.name === volume) ?? [];
  if (dindMounts.length === 0) return "no-externals-copy";
  const isWhole = dindMounts.every((one) => !one.subPath && !one.subPathExpr);
  if (otherUsers.length > 0 || !isWhole || !emptyDirsOf(pod).has(volume)) return "externals-shared";
  return { container, folder: paths.source.slice(1), volume };
}

function mentionsExternals({ command, args }: Container): boolean {
  return [...(command ?? []), ...(args ?? [])].some((arg) => arg.includes("externals"));
}

/** The arguments of the command that a container runs. A shell string is split if it is a single plain command. */
function argvOf({ command, args }: Container): string[] {
  const argv = [...(command ?? []), ...(args ?? [])];
  const [program = "", option = "", text = "", ...rest] = argv;
  if (!shells.includes(baseName(program)) || !/^-[a-z]*c$/.test(option) || rest.length > 0) return argv;
  const isPlain = /^[\w\s./@%+=:,-]+(\/\*[\w\s./@%+=:,-]*)?$/.test(text.trim()) && !text.trim().includes("\n");
  return isPlain ? text.trim().split(/\s+/) : argv;
}

/**
 * The directory whose contents `cp` copies, and the target directory. Undefined for any other command. This includes
 * `cp -r FOLDER TARGET`, which creates a directory in the target.
 */
function copiedPaths(argv: readonly string[]): { source: string; target: string } | undefined {
  const [program = "", ...rest] = argv;
  if (baseName(program) !== "cp") return undefined;
  const flags = rest.filter((arg) => arg.startsWith("-"));
  const [source = "", target = "", ...more] = rest.filter((arg) => !arg.startsWith("-"));
  const known = /^(-[aRrpvfdLPTnu]+|--(recursive|archive|verbose|force|no-target-directory|preserve(=[a-z,]+)?))$/;
  const isRecursive = flags.some((flag) => /^-[a-zT]*[aRr]|^--(recursive|archive)$/.test(flag));
  const intoTarget = flags.some((flag) => /^-[a-zR]*T|^--no-target-directory$/.test(flag));
  const contents =
    /^(\/[^*]*?)\/(?:\.\/?|\*)$/.exec(source)?.[1] ?? (intoTarget ? trimTrailingSlashes(source) : undefined);
  if (!flags.every((flag) => known.test(flag)) || !isRecursive || more.length > 0) return undefined;
  if (!contents?.startsWith("/") || !target.startsWith("/") || /[$*]/.test(contents + target)) return undefined;
  return { source: trimTrailingSlashes(contents), target: trimTrailingSlashes(target.replace(/\/\.$/, "")) };
}
