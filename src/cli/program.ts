import { Argument, Command, Option } from "commander";
import { addBundleServer } from "./bundle-server-options.ts";
import type { RenderOptions, RenderOutput } from "./render.ts";
import type { ServeOptions } from "./serve.ts";
import { addTlsOptions, tlsMistake } from "./tls-options.ts";
import { port, time } from "./option-values.ts";
import { podSecurityLevels } from "../pod/pod-security.ts";

const outputs: readonly RenderOutput[] = ["yaml", "json", "patch", "diff"];

/**
 * The command line, with what each subcommand does. Each is imported when it is called for, so that serve starts without
 * what only render needs. A mistake in the arguments ends the process with exit code 2.
 *
 * @param version what --version says
 */
export function createProgram(version: string): Command {
  const program = new Command("arc-primer")
    .description("Primes the runner pods of actions-runner-controller: waits for Docker, configures mirrors.")
    .version(version)
    .showHelpAfterError("(--help tells what there is)")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

  addServe(program);
  addRender(program);
  addConfig(program);
  addDemo(program);
  addBundleServer(program);
  return program;
}

function addServe(program: Command): void {
  const serveCommand = program
    .command("serve")
    .description("run the admission webhook")
    .option("--config <file>", "PrimerConfiguration (default: the built-in default profile)")
    .option("--bundles <folder>", "the mounted index of package bundles; watched (default: there are none)");
  addTlsOptions(serveCommand)
    .option("--host <address>", "address to listen on (default: all, of IPv4 and IPv6)")
    .option("--port <number>", "port of the webhook, HTTPS", port, 10250)
    .option("--ops-host <address>", "address of the port for health and metrics (default: that of --host)")
    .option("--ops-port <number>", "port for health, readiness and metrics, HTTP", port, 8080)
    .addOption(time("--shutdown-delay <duration>", "time from SIGTERM to closing the port", 5000, "5s"))
    .addOption(time("--watch-interval <duration>", "time between two looks at the watched files", 1000, "1s"))
    .addOption(new Option("--log-level <level>").choices(["debug", "info", "warn", "error", "silent"]).default("info"))
    .action(async (options: ServeOptions) => {
      const mistake = tlsMistake(options);
      if (mistake) serveCommand.error(`error: ${mistake}`);
      await (await import("./serve.ts")).serve(options);
    });
}

function addRender(program: Command): void {
  program
    .command("render")
    .description("show what the webhook would make of the pods in a file; the report goes to stderr")
    .addArgument(new Argument("[file]", "YAML or JSON; - is standard input").default("-"))
    .option("--config <file>", "PrimerConfiguration (default: the built-in default profile)")
    .option("--namespace <name>", "for manifests that name none", "default")
    .addOption(
      new Option("--pod-security <level>", "what the namespace enforces")
        .choices(podSecurityLevels)
        .default("privileged"),
    )
    .addOption(new Option("-o, --output <form>", "default: the form of the input").choices(outputs))
    .option("--explain", "also report the mutations that the profile does not configure")
    .action(async (file: string, options: RenderOptions) => (await import("./render.ts")).render(file, options));
}

function addConfig(program: Command): void {
  program
    .command("config")
    .description("work with a PrimerConfiguration")
    .command("check <file>")
    .description("print every error in it, each with its path, or the resolved profiles")
    .action(async (file: string) => (await import("./config.ts")).checkConfig(file));
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .description("start the real HTTPS server, send it a runner pod as kube-apiserver would, show what comes out")
    .argument("[pod]", "a folder of test/golden, or a file with a pod", "dind-sidecar")
    .option("--config <file>", "PrimerConfiguration (default: the one beside the pod)")
    .action(async (pod: string, options: { config?: string }) => (await import("./demo.ts")).demo(pod, options));
}
