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
    .description("Primes the runner pods of actions-runner-controller: waits for Docker, configures mirrors.")
    .version(version)
    .showHelpAfterError("(--help tells what there is)")
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
      const mistake = tlsOptionError(options);
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
    .option("--exit-code", "exit with 0 if nothing changes, 1 if something does, 2 if it fails")
    .action(async (file: string, options: RenderOptions) => {
      if (options.exitCode) process.exitCode = 2; // that of a failure, until it is done
      const isChanged = await (await import("./render.ts")).render(file, options);
      if (options.exitCode) process.exitCode = isChanged ? 1 : 0;
    });
}

function addConfig(program: Command): void {
  const config = program.command("config").description("work with a PrimerConfiguration");
  config
    .command("check")
    .argument("<file>", "YAML or JSON; - is standard input")
    .description("print every error in it, each with its line and path; warnings go to stderr")
    .option("--resolved", "print the resolved configuration, with every setting")
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
    .action(async () => (await import("./config.ts")).printStart());
}

function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check arc-primer in a cluster: what is broken, what that means, what to do; changes nothing");
  addClusterOptions(command)
    .addOption(new Option("-o, --output <form>").choices(["text", "json"]).default("text"))
    .action(async (options: DoctorOptions) => (await import("./doctor.ts")).doctor(options));
}

function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("tell what was done to a pod or would be done, what was not and why, and which setting decides")
    .argument("[what]", "a pod or a scale set of the cluster: NAME, pod/NAME or scale-set/NAME")
    .option("-f, --filename <file>", "explain the pods of a manifest instead; - is standard input")
    .option("-n, --namespace <name>", "default: that of the context; for manifests that name none, default");
  addClusterOptions(command)
    .option("--config <file>", "PrimerConfiguration (default: the cluster's; for manifests the built-in one)")
    .option("--config-map <namespace/name>", "the cluster's PrimerConfiguration (default: found by the chart's labels)")
    .addOption(
      new Option("--pod-security <level>", "what the namespace enforces (default: as the cluster says)").choices(
        podSecurityLevels,
      ),
    )
    .addOption(new Option("-o, --output <form>").choices(["text", "json"]).default("text"))
    .action(async (what: string | undefined, options: ExplainOptions) => {
      const isOne = (what === undefined) !== (options.filename === undefined);
      if (!isOne) command.error("error: name a pod or a scale set, or a manifest with -f; one of the two");
      await (await import("./explain.ts")).explain(what, options);
    });
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .description("start the real HTTPS server, send it a runner pod as kube-apiserver would, show what comes out")
    .argument("[pod]", "a built-in pod (a name that is not there lists them), or a file with one", "dind-sidecar")
    .option("--config <file>", "PrimerConfiguration (default: the one beside the pod)")
    .action(async (pod: string, options: { config?: string }) => (await import("./demo.ts")).demo(pod, options));
}

function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script by which a shell completes the arguments of this program")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .action(async (shell: Shell) => (await import("./completion.ts")).printCompletion(program.name(), shell));
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => (await import("./completion.ts")).complete(program, words));
}
