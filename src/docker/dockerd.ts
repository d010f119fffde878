import { emptyDirsOf, trimTrailingSlashes } from "../pod/mounts.ts";
import type { Container, Pod } from "../pod/types.ts";
import { isDindImage } from "./dind.ts";

/** The reason why no flags can be added to a container's dockerd. */
export type Obstacle = "shell-command" | "unknown-command" | "unknown-entrypoint" | "config-file" | "daemon-json";

export const shells = ["sh", "bash", "ash", "dash"];
const launchers = ["dockerd", "dockerd-entrypoint.sh", "dockerd-rootless.sh"];

/**
 * The flags that a container's dockerd is started with, or the reason why no flags can be added.
 *
 * Flags can be added at the end of `args`: the kubelet appends `args` to `command`. If `args` consists only of flags, the
 * entrypoint of docker:dind puts `dockerd` and its default hosts before them (docker-library/docker,
 * dockerd-entrypoint.sh). With a configuration file, no flags can be added: dockerd exits if a key is set in both (moby,
 * daemon/config, "specified both as a flag and in the configuration file").
 */
export function dockerdFlags(container: Container, pod: Pod): { flags: string[]; obstacle?: Obstacle } {
  const argv = [...(container.command ?? []), ...(container.args ?? [])];
  if (argv.some((arg) => /(^|\s)--config-file(=|\s|$)/.test(arg))) return { flags: [], obstacle: "config-file" };
  if (mayHaveDaemonJson(container, pod)) return { flags: [], obstacle: "daemon-json" };
  const simple = simpleShell(argv);
  if (simple) return { flags: simple.flags };
  if (shellAt(argv) >= 0) return { flags: [], obstacle: "shell-command" };

  const launcher = argv.findLastIndex((arg) => launchers.includes(baseName(arg)));
  if (launcher >= 0 && argv.indexOf("--", launcher) < 0) return { flags: argv.slice(launcher + 1) };
  if (launcher >= 0 || container.command?.length) return { flags: [], obstacle: "unknown-command" };
  if (argv.length === 0)
    return isDindImage(container.image) ? { flags: [] } : { flags: [], obstacle: "unknown-entrypoint" };
  return argv[0]?.startsWith("-") && !argv.includes("--")
    ? { flags: argv }
    : { flags: [], obstacle: "unknown-command" };
}

export function addFlags(container: Container, flags: readonly string[]): void {
  if (flags.length === 0) return;
  const simple = simpleShell([...(container.command ?? []), ...(container.args ?? [])]);
  if (simple && !simple.passesArgs) appendPassArgs(container, simple.text);
  container.args = [...(container.args ?? []), ...flags];
}

/** Appended to a shell string so that it passes on its arguments. This is a constant, so no flag becomes shell text. */
const passArgsSuffix = ' "$@"';
const plainArg = String.raw`(?:[\w@%+=:,./-]|\$\(\w+\))+`;
const simpleString = new RegExp(
  String.raw`^\s*(?:exec\s+)?(?:/[\w./-]*/)?(?:${launchers.join("|")})((?:\s+${plainArg})*)\s*$`,
);

/** Parses a shell string that only starts dockerd with plain flags. Undefined for any other command. */
function simpleShell(argv: readonly string[]) {
  if (shellAt(argv) !== 0) return undefined;
  const [, , text = "", ...scriptArgs] = argv;
  const passesArgs = text.endsWith(passArgsSuffix) && scriptArgs[0] === "dockerd";
  const match = simpleString.exec(passesArgs ? text.slice(0, -passArgsSuffix.length) : text);
  if (!match || (scriptArgs.length > 0 && !passesArgs)) return undefined;
  return { text, passesArgs, flags: [...match[1]!.split(/\s+/).filter(Boolean), ...scriptArgs.slice(1)] };
}

/** Makes a shell string pass on its arguments. The first argument after the shell string is `$0`, here `dockerd`. */
function appendPassArgs(container: Container, text: string): void {
  const replace = (arg: string) => (arg === text ? text + passArgsSuffix : arg);
  if (container.command) container.command = container.command.map(replace);
  container.args = [...(container.args ?? []).map(replace), "dockerd"];
}

/** The index of a shell that is called with `-c`; -1 if there is none. */
function shellAt(argv: readonly string[]): number {
  return argv.findIndex((arg, index) => shells.includes(baseName(arg)) && /^-[a-z]*c$/.test(argv[index + 1] ?? ""));
}

/**
 * Whether dockerd may find a daemon.json: /etc/docker/daemon.json, or ~/.config/docker/daemon.json if rootless. A volume
 * at the file, its directory or a parent directory may contain one. An emptyDir is empty at first. At the file or its
 * directory, it may get one if another container mounts it too. At a parent directory, it may get one if another container
 * that mounts it mentions daemon.json (GitHub's rootless template has a copy of /etc in an emptyDir).
 */
function mayHaveDaemonJson(container: Container, pod: Pod): boolean {
  if (mentionsDaemonJson(container)) return true;
  const emptyDirs = emptyDirsOf(pod);
  const others = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].filter(
    ({ name }) => name !== container.name,
  );
  return (container.volumeMounts ?? []).some(({ name, mountPath }) => {
    const path = trimTrailingSlashes(mountPath);
    const isAt = /^\/etc\/docker(\/daemon\.json)?$|\/\.config\/docker(\/daemon\.json)?$/.test(path);
    if (!isAt && !/^\/etc$|^\/home(\/[^/]+(\/\.config)?)?$/.test(path)) return false;
    if (!emptyDirs.has(name)) return true;
    const sharers = others.filter(({ volumeMounts }) => volumeMounts?.some((mount) => mount.name === name));
    return isAt ? sharers.length > 0 : sharers.some(mentionsDaemonJson);
  });
}

function mentionsDaemonJson({ command, args }: Container): boolean {
  return [...(command ?? []), ...(args ?? [])].some((arg) => arg.includes("daemon.json"));
}

/** All values of a flag, written as `--name=value` or as two arguments. */
export function flagValues(flags: readonly string[], name: string): string[] {
  return flags.flatMap((arg, index) => {
    if (arg === name) return flags.slice(index + 1, index + 2);
    return arg.startsWith(`${name}=`) ? [arg.slice(name.length + 1)] : [];
  });
}

/** The name of a program without its directory. */
export function baseName(arg: string): string {
  return arg.slice(arg.lastIndexOf("/") + 1);
}
