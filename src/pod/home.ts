import { envEntry, setsEnv } from "./env.ts";
import { trimmed } from "./mounts.ts";
import type { Container, Pod } from "./types.ts";
import { ownWords } from "./wrap.ts";

/** Where the image of GitHub's runner has its user's home. */
const runnerHome = "/home/runner";

/** What a profile says about the runner container. */
interface RunnerSettings {
  readonly home?: string | undefined;
  readonly command?: readonly string[] | undefined;
}

/**
 * The folder of the runner's program, as far as the command tells: that of run.sh or of bin/Runner.Listener. GitHub's own
 * image has it in /home/runner, whatever the command.
 */
export function runnerRoot(container: Container, { command }: RunnerSettings): string | undefined {
  const words = container.command?.length ? ownWords(container) : (command ?? []);
  const program = /(?:^|[\s"'=;&|(])((?:\/[\w.@+-]+)+)\/(?:run\.sh|bin\/Runner\.Listener)(?=$|[\s"';&|)])/;
  const found = words.map((word) => program.exec(word)?.[1]).find((folder) => folder !== undefined);
  const isStock = /(^|\/)actions\/actions-runner([:@]|$)/.test(container.image ?? "");
  return found ?? (isStock ? runnerHome : undefined);
}

/** The home in which the command's program lies. */
function homeOfCommand(container: Container, settings: RunnerSettings): string | undefined {
  const program = runnerRoot(container, settings) ?? ownWords(container)[0] ?? "";
  return /^\/home\/[\w.@+-]+(?=\/|$)/.exec(program)?.[0];
}

/**
 * Where programs in the runner container find their settings, as far as the pod tells: its own variables, else the
 * profile's `runner.home`, else root's home for user 0, else the home that the command lies in, else that of GitHub's
 * image. Undefined where a variable comes from elsewhere.
 */
export function runnerFolders(
  pod: Pod,
  container: Container,
  settings: RunnerSettings,
): { home: string | undefined; config: string | undefined; docker: string | undefined; buildx: string | undefined } {
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const usual = user === 0 ? "/root" : (homeOfCommand(container, settings) ?? runnerHome);
  const own = folderFrom(container, "HOME", settings.home ?? usual);
  const docker = folderFrom(container, "DOCKER_CONFIG", own && `${own}/.docker`);
  return {
    home: own,
    // github.com/adrg/xdg, which Dagger's CLI asks
    config: folderFrom(container, "XDG_CONFIG_HOME", own && `${own}/.config`),
    docker,
    // docker/buildx, util/confutil/config.go
    buildx: folderFrom(container, "BUILDX_CONFIG", docker && `${docker}/buildx`),
  };
}

/** The folder that a variable names, else the default; undefined where only the kubelet knows its value. */
export function folderFrom(container: Container, variable: string, otherwise: string | undefined): string | undefined {
  if (!setsEnv(container, variable)) return otherwise;
  const path = trimmed(envEntry(container, variable)?.value ?? "");
  return path.startsWith("/") && !path.includes("$") && !path.includes(":") ? path : undefined;
}
