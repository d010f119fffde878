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
    .description("have the packages of a profile installed on a runner image, and serve the result to pods")
    .option("--config <file>", "PrimerConfiguration; watched (default: the built-in default profile)")
    .requiredOption("--profile <name>", "the profile")
    .requiredOption("--image <image>", "the runner image, as pods name it")
    .requiredOption("--architecture <name>", "of the builder: amd64, arm64")
    .requiredOption("--handover <folder>", "the folder that is shared with the builder")
    .requiredOption("--store <folder>", "the folder of the bundles; no other container may write there")
    .addOption(
      new Option(
        "--size-limit <quantity>",
        "of the store's volume; nine tenths of it are used, a third of that for one bundle",
      )
        .argParser(bytes)
        .default(2 ** 31, "2Gi"),
    )
    .addOption(
      new Option("--index <namespace/name/key>", "the key of the ConfigMap from which the webhook knows the bundle")
        .argParser(indexKey)
        .makeOptionMandatory(),
    )
    .requiredOption("--url <url>", "where pods reach this server: http://HOST:PORT")
    .addOption(time("--interval <duration>", "how old a bundle becomes", 24 * hour, "24h"))
    .addOption(time("--build-timeout <duration>", "how long a build may take", 30 * minute, "30m"))
    .option("--port <number>", "port of the bundles, HTTP", port, 8081)
    .option("--ops-port <number>", "port for health, readiness and metrics, HTTP", port, 8080)
    .addOption(time("--shutdown-delay <duration>", "time from SIGTERM to closing the port", 5000, "5s"))
    .addOption(time("--watch-interval <duration>", "time between two looks at the files", 1000, "1s"))
    .addOption(time("--index-interval <duration>", "time between two looks at the ConfigMap", minute, "1m"))
    .addOption(new Option("--log-level <level>").choices(["debug", "info", "warn", "error", "silent"]).default("info"))
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
