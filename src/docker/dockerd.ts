import { emptyDirsOf, trimmed } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { isDindImage } from "./dind.ts";

/** Why flags can't be given to the dockerd of a container. */
export type Obstacle = "shell-command" | "unknown-command" | "unknown-entrypoint" | "config-file" | "daemon-json";

export const shells = ["sh", "bash", "ash", "dash"];
const launchers = ["dockerd", "dockerd-entrypoint.sh", "dockerd-rootless.sh"];

/**
 * The flags that a container's dockerd is started with, or why none can be added to them.
 *
 * Flags can always be added at the end of `args`: the kubelet appends those to `command`, and the entrypoint of
 * docker:dind puts `dockerd` and its default hosts before them when they are alone (docker-library/docker,
 * dockerd-entrypoint.sh). With a configuration file they cannot: dockerd stops at a key that is in both (moby,
 * daemon/config, "specified both as a flag and in the configuration file").
 */
export function dockerdFlags(container: Container, pod: Pod): { flags: string[]; obstacle?: Obstacle } {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  if (words.some((word) => word.split("=", 1)[0] === "--config-file")) return { flags: [], obstacle: "config-file" };
  if (mayHaveDaemonJson(container, pod)) return { flags: [], obstacle: "daemon-json" };
  if (words.some((word, index) => shells.includes(baseName(word)) && /^-[a-z]*c$/.test(words[index + 1] ?? ""))) {
    return { flags: [], obstacle: "shell-command" };
  }

  const launcher = words.findLastIndex((word) => launchers.includes(baseName(word)));
  if (launcher >= 0 && words.indexOf("--", launcher) < 0) return { flags: words.slice(launcher + 1) };
  if (launcher >= 0 || container.command?.length) return { flags: [], obstacle: "unknown-command" };
  if (words.length === 0)
    return isDindImage(container.image) ? { flags: [] } : { flags: [], obstacle: "unknown-entrypoint" };
  return words[0]?.startsWith("-") && !words.includes("--")
    ? { flags: words }
    : { flags: [], obstacle: "unknown-command" };
}

/**
 * dockerd reads /etc/docker/daemon.json, rootless ~/.config/docker/daemon.json. A volume at that folder or file counts,
 * and so does one further up, unless it is an emptyDir: GitHub's rootless template has a copy of /etc in one. So does
 * any container that speaks of a daemon.json: an init container may write one.
 */
function mayHaveDaemonJson(container: Container, pod: Pod): boolean {
  const { spec } = pod;
  const words = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ command, args }) => [
    ...(command ?? []),
    ...(args ?? []),
  ]);
  if (words.some((word) => word.includes("daemon.json"))) return true;
  const emptyDirs = emptyDirsOf(pod);
  return (container.volumeMounts ?? []).some(({ name, mountPath }) => {
    const path = trimmed(mountPath);
    if (/^\/etc\/docker(\/daemon\.json)?$|\/\.config\/docker(\/daemon\.json)?$/.test(path)) return true;
    return /^\/etc$|^\/home(\/[^/]+(\/\.config)?)?$/.test(path) && !emptyDirs.has(name);
  });
}

/** All values that a flag is given, as `--name=value` or as two words. */
export function flagValues(flags: readonly string[], name: string): string[] {
  return flags.flatMap((word, index) => {
    if (word === name) return flags.slice(index + 1, index + 2);
    return word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : [];
  });
}

export function addFlags(container: Container, flags: readonly string[]): void {
  if (flags.length > 0) container.args = [...(container.args ?? []), ...flags];
}

/** The name of a program without its folder. */
export function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
