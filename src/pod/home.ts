import { envEntry, setsEnv } from "./env.ts";
import { trimTrailingSlashes } from "./mounts.ts";
import type { Container, Pod } from "./types.ts";
import { unwrappedCommand } from "./wrap.ts";

/** The home directory of the user in GitHub's runner image. */
const runnerHome = "/home/runner";

/** The profile's settings of the runner container. */
interface RunnerSettings {
  readonly home?: string | undefined;
  readonly command?: readonly string[] | undefined;
}

/**
 * The directory of the runner application: the one that contains the run.sh or bin/Runner.Listener of the command. For
 * GitHub's own image without such a command, it is /home/runner. Undefined if unknown.
 */
export function runnerRoot(container: Container, { command }: RunnerSettings): string | undefined {
  const words = container.command?.length ? unwrappedCommand(container) : (command ?? []);
  const program = /(?:^|[\s"'=;&|(])((?:\/[\w.@+-]+)+)\/(?:run\.sh|bin\/Runner\.Listener)(?=$|[\s"';&|)])/;
  const found = words.map((word) => program.exec(word)?.[1]).find((folder) => folder !== undefined);
  const isStock = /(^|\/)actions\/actions-runner([:@]|$)/.test(container.image ?? "");
  return found ?? (isStock ? runnerHome : undefined);
}

/** The home directory that contains the command's program. */
function homeOfCommand(container: Container, settings: RunnerSettings): string | undefined {
  const program = runnerRoot(container, settings) ?? unwrappedCommand(container)[0] ?? "";
  return /^\/home\/[\w.@+-]+(?=\/|$)/.exec(program)?.[0];
}

/**
 * The directories where programs in the runner container find their settings. Order of precedence for the home directory:
 * the container's own variables, the profile's `runner.home`, /root for user 0, the home directory that contains the
 * command, the home directory in GitHub's image. Undefined if the value of a variable is not known here.
 */
export function runnerFolders(
  pod: Pod,
  container: Container,
  settings: RunnerSettings,
): { home: string | undefined; config: string | undefined; docker: string | undefined; buildx: string | undefined } {
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const usual = user === 0 ? "/root" : (homeOfCommand(container, settings) ?? runnerHome);
  const home = folderFrom(container, "HOME", settings.home ?? usual);
  const docker = folderFrom(container, "DOCKER_CONFIG", home && `${home}/.docker`);
  return {
    home,
    // github.com/adrg/xdg, which Dagger's CLI uses
    config: folderFrom(container, "XDG_CONFIG_HOME", home && `${home}/.config`),
    docker,
    // docker/buildx, util/confutil/config.go
    buildx: folderFrom(container, "BUILDX_CONFIG", docker && `${docker}/buildx`),
  };
}

/** The directory in a variable, or the default if the variable is not set. Undefined if its value is not known here. */
export function folderFrom(container: Container, variable: string, otherwise: string | undefined): string | undefined {
  if (!setsEnv(container, variable)) return otherwise;
  const path = trimTrailingSlashes(envEntry(container, variable)?.value ?? "");
  return path.startsWith("/") && !path.includes("$") && !path.includes(":") ? path : undefined;
}
