import type { Container } from "../pod/types.ts";

type Probe = NonNullable<Container["startupProbe"]>;

/**
 * Whether a startup probe only checks that Docker is available, as the wait does. It may run `docker info`, `ps` or
 * `version`, request the API's `/_ping`, or test that the socket exists.
 */
export function onlyChecksDocker({ exec, httpGet }: Probe): boolean {
  if (httpGet) return /^\/(v[\d.]+\/)?_ping$/.test(httpGet.path ?? "");
  const argv = exec?.command ?? [];
  const [program = "", option = "", text = "", ...more] = argv;
  if (!/(^|\/)(sh|ash|bash|dash)$/.test(program)) return isDockerCheck(argv);
  if (text.length > 1000) return false; // no such check is that long, and no pod may keep the webhook busy
  const command = text.replaceAll(/\s*(\d|&)?>{1,2}\s*(&\d|\/dev\/\w+)/g, "").trim();
  if (!/^-[a-z]*c$/.test(option) || more.length > 0 || /[;&|<>`$\n]/.test(command)) return false;
  return isDockerCheck(command.split(/\s+/).map((arg) => arg.replaceAll(/^["']|["']$/g, "")));
}

function isDockerCheck(command: readonly string[]): boolean {
  const argv = command[0] === "timeout" ? command.slice(command.findIndex((arg) => /^\d+s?$/.test(arg)) + 1) : command;
  const program = argv[0]?.replace(/^.*\//, "");
  if (program === "docker") {
    const subcommand = argv.slice(1).find((arg, index, all) => !isOption(arg) && !takesNext(all[index - 1]));
    return ["info", "ps", "version"].includes(subcommand ?? "");
  }
  if (program === "curl" || program === "wget") return argv.some((arg) => arg.endsWith("/_ping"));
  return (program === "test" || program === "[") && argv[1] === "-S";
}

function isOption(arg: string): boolean {
  return arg.startsWith("-");
}

/** Whether this is a global option of docker that takes its value from the next argument. */
function takesNext(arg: string | undefined): boolean {
  return ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level"].includes(arg ?? "");
}

/** The seconds that a startup probe allows for startup. The defaults are those of the API (API reference, Probe). */
export function probeTimeout({ initialDelaySeconds, periodSeconds, failureThreshold }: Probe): number {
  return (initialDelaySeconds ?? 0) + (periodSeconds ?? 10) * (failureThreshold ?? 3);
}
