import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { watchClientCA } from "../tls/client-ca.ts";
import type { ClientCA } from "../tls/client-ca.ts";
import { filesSource } from "../tls/files.ts";
import type { CertificateSource } from "../tls/source.ts";
import { time } from "./option-values.ts";

/** The options of `serve` that select the source of its certificate. */
export interface TlsOptions {
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsSecret?: { namespace: string; name: string };
  readonly tlsWebhookConfiguration?: string;
  readonly tlsDnsName?: readonly string[];
  readonly tlsClientCaFile?: string;
  /** In milliseconds, as are the fields below. */
  readonly tlsCaLifetime: number;
  readonly tlsCertLifetime: number;
  readonly tlsCheckInterval: number;
  readonly watchInterval: number;
}

const day = 86_400_000;
/** The number of check intervals for which a new CA must have been trusted before it is used. */
const settlingChecks = 12;

export function addTlsOptions(command: Command): Command {
  return command
    .option("--tls-cert-file <file>", "serving certificate with its chain (PEM); reloaded when it changes")
    .option("--tls-private-key-file <file>", "private key of the certificate (PEM); reloaded when it changes")
    .addOption(
      new Option(
        "--tls-secret <namespace/name>",
        "instead of files: Secret for a self-managed CA and certificate",
      ).argParser(secret),
    )
    .option("--tls-webhook-configuration <name>", "MutatingWebhookConfiguration whose caBundle is kept up to date")
    .addOption(
      new Option("--tls-dns-name <name>", "DNS name that kube-apiserver uses for the webhook; repeatable").argParser(
        names,
      ),
    )
    .option(
      "--tls-client-ca-file <file>",
      "accept only clients with a certificate signed by this CA (PEM); reloaded when it changes",
    )
    .addOption(
      time(
        "--tls-ca-lifetime <duration>",
        "lifetime of a self-managed CA; renewed after two thirds",
        1825 * day,
        "1825d",
      ),
    )
    .addOption(
      time(
        "--tls-cert-lifetime <duration>",
        "lifetime of a self-managed certificate; renewed after two thirds",
        90 * day,
        "90d",
      ),
    )
    .addOption(time("--tls-check-interval <duration>", "interval at which the Secret is checked", 5000, "5s"));
}

/** Returns the error in this combination of options, if there is one. */
export function tlsOptionError(options: TlsOptions): string | undefined {
  const { tlsCaLifetime, tlsCertLifetime, tlsCheckInterval } = options;
  const files = { "--tls-cert-file": options.tlsCertFile, "--tls-private-key-file": options.tlsPrivateKeyFile };
  const selfManaged = {
    "--tls-secret": options.tlsSecret,
    "--tls-webhook-configuration": options.tlsWebhookConfiguration,
    "--tls-dns-name": options.tlsDnsName,
  };
  const isAnySet = (group: object) => Object.values(group).some((value) => value !== undefined);
  const [usesFiles, isSelfManaged] = [isAnySet(files), isAnySet(selfManaged)];
  if (usesFiles === isSelfManaged) {
    const alternatives = `either ${joinKeys(files)}, or ${joinKeys(selfManaged)} for a self-managed certificate`;
    return usesFiles ? `set ${alternatives}, not both` : `set ${alternatives}`;
  }
  const selected = usesFiles ? files : selfManaged;
  const missing = Object.entries(selected).filter(([, value]) => value === undefined);
  if (missing.length > 0) {
    return `${joinKeys(selected)} must be set together; missing: ${missing.map(([name]) => name).join(", ")}`;
  }
  if (usesFiles) return undefined;
  if (tlsCertLifetime < 6 * settlingChecks * tlsCheckInterval) {
    return `--tls-cert-lifetime must be at least ${6 * settlingChecks} times --tls-check-interval`;
  }
  if (tlsCaLifetime < 1.5 * tlsCertLifetime) {
    return "--tls-ca-lifetime must be at least 1.5 times --tls-cert-lifetime";
  }
  return undefined;
}

/**
 * Creates the certificate source that the options select. The modules for a self-managed certificate are loaded only
 * if it is selected.
 *
 * @param options checked with `tlsOptionError`
 */
export async function certificateSource(
  options: TlsOptions,
  { log, metrics }: { log: Logger; metrics: Metrics },
): Promise<CertificateSource> {
  const { tlsSecret, tlsWebhookConfiguration = "", tlsDnsName = [], tlsCheckInterval: interval } = options;
  if (!tlsSecret) {
    const { tlsCertFile: certFile = "", tlsPrivateKeyFile: keyFile = "", watchInterval } = options;
    return filesSource({ certFile, keyFile, interval: watchInterval, log, metrics });
  }
  const { clusterObjects } = await import("../tls/self-managed/cluster.ts");
  const { connect } = await import("../tls/self-managed/connection.ts");
  const { selfManagedSource } = await import("../tls/self-managed/source.ts");
  const times = {
    caLifetime: options.tlsCaLifetime,
    servingLifetime: options.tlsCertLifetime,
    settling: settlingChecks * interval,
  };
  const objects = clusterObjects(await connect(), tlsSecret, tlsWebhookConfiguration);
  return selfManagedSource({ objects, names: tlsDnsName, times, interval, clock: Date.now, log, metrics });
}

/** Returns the client CA, if the options name one. */
export async function clientCAOf(
  { tlsClientCaFile: file, watchInterval: interval }: TlsOptions,
  parts: { log: Logger; metrics: Metrics },
): Promise<ClientCA | undefined> {
  return file === undefined ? undefined : watchClientCA({ file, interval, ...parts });
}

function secret(text: string): { namespace: string; name: string } {
  const [namespace = "", name = "", ...more] = text.split("/");
  if (namespace && name && !more.length) return { namespace, name };
  throw new InvalidArgumentError("expected NAMESPACE/NAME");
}

const names = (text: string, previous: readonly string[] = []): string[] => [...previous, text];
const joinKeys = (group: object): string => Object.keys(group).join(" and ");
