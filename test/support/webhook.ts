import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import type { AgentOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrime } from "../../src/engine/prime.ts";
import { createAdmit } from "../../src/webhook/admit.ts";
import type { Config } from "../../src/config/schema.ts";
import { defaultConfig } from "../../src/config/load.ts";
import { startWebhook } from "../../src/webhook/webhook.ts";
import { createLogger } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { mutations as allMutations } from "../../src/mutations/index.ts";
import type { Mutation } from "../../src/engine/mutation.ts";
import { selfSigned } from "../../src/tls/certificate.ts";
import type { KeyPair } from "../../src/tls/certificate.ts";
import { watchClientCA } from "../../src/tls/client-ca.ts";
import { filesSource } from "../../src/tls/files.ts";

const hour = 3_600_000;

/** A certificate for localhost. `from` and `to` are its validity in hours, relative to now. */
export async function certificate(hours: { from?: number; to?: number } = {}): Promise<KeyPair> {
  const now = Date.now();
  return selfSigned(["localhost"], {
    from: new Date(now + (hours.from ?? -1) * hour),
    to: new Date(now + (hours.to ?? 1) * hour),
  });
}

/** Starts the real webhook on free local ports, with its certificate in files that a test can change. */
export async function testWebhook(
  options: {
    config?: () => Config;
    mutations?: readonly Mutation[];
    issued?: KeyPair;
    version?: string;
    clientCA?: string;
  } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "arc-primer-test-"));
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const write = async ({ cert, key }: KeyPair) => {
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
  };
  const issued = options.issued ?? (await certificate());
  await write(issued);

  const lines: Record<string, unknown>[] = [];
  const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const metrics = createMetrics({ processMetrics: false });
  const config = options.config ?? (() => defaultConfig);
  const admit = createAdmit({
    config,
    prime: createPrime({
      mutations: options.mutations ?? allMutations,
      version: options.version ?? "0.0.0-test",
    }),
    log,
    metrics,
    clock: () => performance.now(),
  });
  const addresses = { host: "localhost", port: 0, opsPort: 0 };
  const certificates = filesSource({ certFile, keyFile, interval: 50, log, metrics });
  const clientFile = join(folder, "clients.crt");
  if (options.clientCA !== undefined) await writeFile(clientFile, options.clientCA);
  const clients = options.clientCA && (await watchClientCA({ file: clientFile, interval: 50, log, metrics }));
  const webhook = await startWebhook({
    admit,
    certificates,
    clients: clients || undefined,
    log,
    metrics,
    ...addresses,
  });
  const agents: Agent[] = [];
  return {
    ...webhook,
    lines,
    issued,
    write,
    writeClientCA: async (pem: string) => writeFile(clientFile, pem),
    agent(extra: AgentOptions = {}): Agent {
      const agent = new Agent({ ca: issued.cert, keepAlive: true, ...extra });
      agents.push(agent);
      return agent;
    },
    ops: (path: string) => fetch(`http://localhost:${webhook.opsPort}${path}`),
    async end() {
      for (const agent of agents) agent.destroy();
      await webhook.stop(0);
      await rm(folder, { recursive: true });
    },
  };
}
