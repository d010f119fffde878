import { Argument, Command, Option } from "commander";
import { addBundleServer } from "./bundle-server-options.ts";
import { addClusterOptions } from "./cluster-options.ts";
import type { Shell } from "./completion.ts";
import type { DoctorOptions } from "./doctor.ts";
import type { ExplainOptions } from "./explain.ts";
import type { RenderOptions, RenderOutput } from "./render.ts";
import type { ServeOptions } from "./serve.ts";
import { addTlsOptions, tlsOptionError } from "./tls-options.ts";
import { port, time } from "./option-values.ts";
import { podSecurityLevels } from "../pod/pod-security.ts";

const outputs: readonly RenderOutput[] = ["yaml", "json", "patch", "diff"];

/**
 * Defines the command line and its subcommands. The code of a subcommand is imported when the subcommand is called, so
 * that `serve` does not load what only `render` needs. Invalid arguments end the process with exit code 2.
 *
 * @param version the version that --version prints
 */
export function createProgram(version: string): Command {
  const program = new Command("arc-primer")
    .description("Prime the runner pods of actions-runner-controller: wait for Docker, configure mirrors.")
    .version(version)
    .showHelpAfterError("(use --help for usage)")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

  addServe(program);
  addRender(program);
  addConfig(program);
  addDoctor(program);
  addExplain(program);
  addDemo(program);
  addCompletion(program);
  addBundleServer(program);
  return program;
}

function addServe(program: Command): void {
  const serveCommand = program
    .command("serve")
    .description("run the admission webhook")
    .option("--config <file>", "PrimerConfiguration (default: the built-in default profile)")
    .option(
      "--bundles <directory>",
      "directory where the index of package bundles is mounted; reloaded when it changes (default: no bundles)",
    );
  addTlsOptions(serveCommand)
    .option("--host <address>", "address to listen on (default: all IPv4 and IPv6 addresses)")
    .option("--port <number>", "webhook port (HTTPS)", port, 10250)
    .option("--ops-host <address>", "address for health and metrics (default: same as --host)")
    .option("--ops-port <number>", "port for health, readiness and metrics (HTTP)", port, 8080)
    .addOption(time("--shutdown-delay <duration>", "time between SIGTERM and closing the port", 5000, "5s"))
    .addOption(time("--watch-interval <duration>", "interval at which watched files are checked", 1000, "1s"))
    .addOption(
      new Option("--log-level <level>", "log level")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (options: ServeOptions) => {
      const message = tlsOptionError(options);
      if (message !== undefined) serveCommand.error(`error: ${message}`);
      await (await import("./serve.ts")).serve(options);
    });
}

function addRender(program: Command): void {
  program
    .command("render")
    .description("show how the webhook would change the pods in a file; the report goes to stderr")
    .addArgument(new Argument("[file]", "YAML or JSON file; - reads standard input").default("-"))
    .option("--config <file>", "PrimerConfiguration (default: the built-in default profile)")
    .option("--namespace <name>", "namespace for manifests that do not set one", "default")
    .addOption(
      new Option("--pod-security <level>", "Pod Security level that the namespace enforces")
        .choices(podSecurityLevels)
        .default("privileged"),
    )
    .addOption(new Option("-o, --output <format>", "output format (default: same as the input)").choices(outputs))
    .option("--explain", "also report mutations that the profile does not configure")
    .option("--exit-code", "exit with 0 if nothing changes, 1 if something changes, 2 on failure")
    .action(async (file: string, options: RenderOptions) => {
      if (options.exitCode) process.exitCode = 2; // the exit code for a failure, unless rendering succeeds
      const isChanged = await (await import("./render.ts")).render(file, options);
      if (options.exitCode) process.exitCode = isChanged ? 1 : 0;
    });
}

function addConfig(program: Command): void {
  const config = program.command("config").description("check or create a PrimerConfiguration");
  config
    .command("check")
    .argument("<file>", "YAML or JSON file; - reads standard input")
    .description("report every error in a configuration with its line and path; warnings go to stderr")
    .option("--resolved", "print the resolved configuration with all settings")
    .action(async (file: string, options: { resolved?: boolean }) => {
      await (await import("./config.ts")).checkConfig(file, options);
    });
  config
    .command("schema")
    .description("print the JSON Schema of a configuration, for editors")
    .action(async () => (await import("./config.ts")).printSchema());
  config
    .command("init")
    .description("print a configuration to start from, with comments")
    .action(async () => (await import("./config.ts")).printInitialConfig());
}

function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check arc-primer in a cluster: report problems, what they mean and how to fix them; changes nothing");
  addClusterOptions(command)
    .addOption(new Option("-o, --output <format>", "output format").choices(["text", "json"]).default("text"))
    .action(async (options: DoctorOptions) => (await import("./doctor.ts")).doctor(options));
}

function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description(
      "explain what was or would be changed in a pod, what was skipped and why, and which setting decides it",
    )
    .argument("[target]", "a pod or a scale set in the cluster: NAME, pod/NAME or scale-set/NAME")
    .option("-f, --filename <file>", "explain the pods in a manifest instead; - reads standard input")
    .option(
      "-n, --namespace <name>",
      "namespace (default: the one of the context; for manifests that do not set one, default)",
    );
  addClusterOptions(command)
    .option(
      "--config <file>",
      "PrimerConfiguration (default: the one in the cluster; for manifests, the built-in default profile)",
    )
    .option(
      "--config-map <namespace/name>",
      "ConfigMap with the PrimerConfiguration (default: the one with the labels of the chart)",
    )
    .addOption(
      new Option(
        "--pod-security <level>",
        "Pod Security level of the namespace (default: read from the cluster)",
      ).choices(podSecurityLevels),
    )
    .addOption(new Option("-o, --output <format>", "output format").choices(["text", "json"]).default("text"))
    .action(async (target: string | undefined, options: ExplainOptions) => {
      const hasOneInput = (target === undefined) !== (options.filename === undefined);
      if (!hasOneInput) command.error("error: specify either a pod or scale set, or a manifest with -f");
      await (await import("./explain.ts")).explain(target, options);
    });
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .description("start the real HTTPS server, send it a runner pod as kube-apiserver would, and show the result")
    .argument("[pod]", "a built-in pod, or a file with a pod (an unknown name lists the built-in pods)", "dind-sidecar")
    .option(
      "--config <file>",
      "PrimerConfiguration (default: the one of the built-in pod, or the built-in default profile)",
    )
    .action(async (pod: string, options: { config?: string }) => (await import("./demo.ts")).demo(pod, options));
}

function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a shell completion script")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .action(async (shell: Shell) => (await import("./completion.ts")).printCompletion(program.name(), shell));
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => (await import("./completion.ts")).complete(program, words));
}
