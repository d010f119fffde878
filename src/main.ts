import { Argument, Command, Option } from "commander";
import type { RenderOptions, RenderOutput } from "./cli/render.ts";
import type { ServeOptions } from "./cli/serve.ts";
import { addTlsOptions, tlsMistake } from "./cli/tls-options.ts";
import { port, time } from "./cli/option-values.ts";
import { podSecurityLevels } from "./pod/pod-security.ts";

// Exit codes: 0 done, 1 it failed (the message says at what), 2 the command line is wrong.
// Each subcommand is imported when it is called for, so that serve starts without what only render needs.

const outputs: readonly RenderOutput[] = ["yaml", "json", "patch", "diff"];
const program = new Command("arc-primer")
  .description("Primes the runner pods of actions-runner-controller: waits for Docker, configures mirrors.")
  .version(ARC_PRIMER_VERSION)
  .showHelpAfterError("(--help tells what there is)")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const serveCommand = program
  .command("serve")
  .description("run the admission webhook")
  .option("--config <file>", "PrimerConfiguration (default: the built-in default profile)");
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
    await (await import("./cli/serve.ts")).serve(options);
  });

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
  .action(async (file: string, options: RenderOptions) => (await import("./cli/render.ts")).render(file, options));

program
  .command("config")
  .description("work with a PrimerConfiguration")
  .command("check <file>")
  .description("print every error in it, each with its path, or the resolved profiles")
  .action(async (file: string) => (await import("./cli/config.ts")).checkConfig(file));

program
  .command("demo")
  .description("start the real HTTPS server, send it a runner pod as kube-apiserver would, show what comes out")
  .argument("[pod]", "a folder of test/golden, or a file with a pod", "dind-sidecar")
  .option("--config <file>", "PrimerConfiguration (default: the one beside the pod)")
  .action(async (pod: string, options: { config?: string }) => (await import("./cli/demo.ts")).demo(pod, options));

// Whoever reads our output may have seen enough (`| head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`arc-primer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
