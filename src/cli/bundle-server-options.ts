import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { quantityValue } from "../pod/quantity.ts";
import type { IndexKey } from "../bundle-server/config-map.ts";
import type { BundleServerOptions } from "./bundle-server.ts";
import { port, time } from "./option-values.ts";

const [minute, hour] = [60_000, 3_600_000];

export function addBundleServer(program: Command): void {
  program
    .command("bundle-server")
    .description("build package bundles for a profile and a runner image, and serve them to pods")
    .option("--config <file>", "PrimerConfiguration; reloaded when it changes (default: the built-in default profile)")
    .requiredOption("--profile <name>", "profile whose packages are installed")
    .requiredOption("--image <image>", "runner image, exactly as in the pods")
    .requiredOption("--architecture <name>", "architecture of the builder: amd64 or arm64")
    .requiredOption("--handover <directory>", "directory that is shared with the builder")
    .requiredOption("--store <directory>", "directory for the bundles; no other container may write there")
    .addOption(
      new Option(
        "--size-limit <quantity>",
        "size of the store's volume; nine tenths of it are used, a third of that for one bundle",
      )
        .argParser(bytes)
        .default(2 ** 31, "2Gi"),
    )
    .addOption(
      new Option("--index <namespace/name/key>", "key of the ConfigMap from which the webhook reads the bundle")
        .argParser(indexKey)
        .makeOptionMandatory(),
    )
    .requiredOption("--url <url>", "URL at which pods reach this server: http://HOST:PORT")
    .addOption(time("--interval <duration>", "age at which a bundle is rebuilt", 24 * hour, "24h"))
    .addOption(time("--build-timeout <duration>", "timeout for a build", 30 * minute, "30m"))
    .option("--port <number>", "port for the bundles (HTTP)", port, 8081)
    .option("--ops-port <number>", "port for health, readiness and metrics (HTTP)", port, 8080)
    .addOption(time("--shutdown-delay <duration>", "time between SIGTERM and closing the port", 5000, "5s"))
    .addOption(time("--watch-interval <duration>", "interval at which the files are checked", 1000, "1s"))
    .addOption(time("--index-interval <duration>", "interval at which the ConfigMap is checked", minute, "1m"))
    .addOption(
      new Option("--log-level <level>", "log level")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (options: BundleServerOptions) => (await import("./bundle-server.ts")).bundleServer(options));
}

function indexKey(text: string): IndexKey {
  const [namespace = "", name = "", key = "", ...more] = text.split("/");
  if (namespace && name && key && !more.length) return { namespace, name, key };
  throw new InvalidArgumentError("expected NAMESPACE/NAME/KEY");
}

function bytes(text: string): number {
  const value = quantityValue(text);
  if (value !== undefined && value >= 2 ** 26) return value;
  throw new InvalidArgumentError("expected a quantity like 2Gi, at least 64Mi");
}
