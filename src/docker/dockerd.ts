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
  if (words.some((word) => /(^|\s)--config-file(=|\s|$)/.test(word))) return { flags: [], obstacle: "config-file" };
  if (mayHaveDaemonJson(container, pod)) return { flags: [], obstacle: "daemon-json" };
  const simple = simpleShell(words);
  if (simple) return { flags: simple.flags };
  if (shellAt(words) >= 0) return { flags: [], obstacle: "shell-command" };

  const launcher = words.findLastIndex((word) => launchers.includes(baseName(word)));
  if (launcher >= 0 && words.indexOf("--", launcher) < 0) return { flags: words.slice(launcher + 1) };
  if (launcher >= 0 || container.command?.length) return { flags: [], obstacle: "unknown-command" };
  if (words.length === 0)
    return isDindImage(container.image) ? { flags: [] } : { flags: [], obstacle: "unknown-entrypoint" };
  return words[0]?.startsWith("-") && !words.includes("--")
    ? { flags: words }
    : { flags: [], obstacle: "unknown-command" };
}

export function addFlags(container: Container, flags: readonly string[]): void {
  if (flags.length === 0) return;
  const simple = simpleShell([...(container.command ?? []), ...(container.args ?? [])]);
  if (simple && !simple.takesWords) letTakeWords(container, simple.text);
  container.args = [...(container.args ?? []), ...flags];
}

/** What lets a shell string hand on the words behind it. A fixed text: no flag ever becomes part of a shell string. */
const handsOn = ' "$@"';
const plainWord = String.raw`(?:[\w@%+=:,./-]|\$\(\w+\))+`;
const simpleString = new RegExp(
  String.raw`^\s*(?:exec\s+)?(?:/[\w./-]*/)?(?:${launchers.join("|")})((?:\s+${plainWord})*)\s*$`,
);

/** A shell string that does nothing but start dockerd with plain flags; undefined where the words are something else. */
function simpleShell(words: readonly string[]) {
  if (shellAt(words) !== 0) return undefined;
  const [, , text = "", ...behind] = words;
  const takesWords = text.endsWith(handsOn) && behind[0] === "dockerd";
  const match = simpleString.exec(takesWords ? text.slice(0, -handsOn.length) : text);
  if (!match || (behind.length > 0 && !takesWords)) return undefined;
  return { text, takesWords, flags: [...match[1]!.split(/\s+/).filter(Boolean), ...behind.slice(1)] };
}

/** The first word behind a shell string is the shell's name for itself, `$0`. */
function letTakeWords(container: Container, text: string): void {
  const replace = (word: string) => (word === text ? text + handsOn : word);
  if (container.command) container.command = container.command.map(replace);
  container.args = [...(container.args ?? []).map(replace), "dockerd"];
}

/** Where a shell is among the words that is given a string to run; -1 if there is none. */
function shellAt(words: readonly string[]): number {
  return words.findIndex((word, index) => shells.includes(baseName(word)) && /^-[a-z]*c$/.test(words[index + 1] ?? ""));
}

/**
 * dockerd reads /etc/docker/daemon.json, rootless ~/.config/docker/daemon.json. A volume at that folder or file counts,
 * and so does one further up. An emptyDir is empty at first: at the folder it counts if another container mounts it
 * too, and further up if another one speaks of a daemon.json (GitHub's rootless template has a copy of /etc in one).
 */
function mayHaveDaemonJson(container: Container, pod: Pod): boolean {
  if (mentionsDaemonJson(container)) return true;
  const emptyDirs = emptyDirsOf(pod);
  const others = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].filter(
    ({ name }) => name !== container.name,
  );
  return (container.volumeMounts ?? []).some(({ name, mountPath }) => {
    const path = trimmed(mountPath);
    const isAt = /^\/etc\/docker(\/daemon\.json)?$|\/\.config\/docker(\/daemon\.json)?$/.test(path);
    if (!isAt && !/^\/etc$|^\/home(\/[^/]+(\/\.config)?)?$/.test(path)) return false;
    if (!emptyDirs.has(name)) return true;
    const sharers = others.filter(({ volumeMounts }) => volumeMounts?.some((mount) => mount.name === name));
    return isAt ? sharers.length > 0 : sharers.some(mentionsDaemonJson);
  });
}

function mentionsDaemonJson({ command, args }: Container): boolean {
  return [...(command ?? []), ...(args ?? [])].some((word) => word.includes("daemon.json"));
}

/** All values that a flag is given, as `--name=value` or as two words. */
export function flagValues(flags: readonly string[], name: string): string[] {
  return flags.flatMap((word, index) => {
    if (word === name) return flags.slice(index + 1, index + 2);
    return word.startsWith(`${name}=`) ? [word.slice(name.length + 1)] : [];
  });
}

/** The name of a program without its folder. */
export function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
