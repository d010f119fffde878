import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { Agent } from "node:https";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { stringify } from "yaml";
import { admissionReview, patchOf, patched, post } from "./admission-client.ts";
import type { AdmissionAnswer } from "./admission-client.ts";
import { createAdmit } from "../webhook/admit.ts";
import { startWebhook } from "../webhook/webhook.ts";
import type { Config } from "../config/schema.ts";
import { readText } from "../files.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { readManifests } from "../manifests/yaml.ts";
import { mutations } from "../mutations/index.ts";
import { createPrime } from "../engine/prime.ts";
import { report } from "../report/report.ts";
import { selfSigned } from "../tls/certificate.ts";
import { checkServingCertificate } from "../tls/serving-certificate.ts";
import type { CertificateSource } from "../tls/source.ts";
import { readConfig } from "./config.ts";
import { startProgress } from "./progress.ts";
import { foldScripts, showDiff, unfoldScripts, wantsColor } from "./show.ts";

const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
/**
 * The directories of the built-in pods. The first one is packaged with the program (build.mjs). The second one, with all
 * pods, exists only in a checkout.
 */
const podDirectories = ["demo/", "../test/golden/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

interface PodManifest {
  metadata?: { name?: string; namespace?: string };
}

/**
 * `arc-primer demo`: runs a complete admission over a real socket. It starts the HTTPS server with a temporary
 * certificate, sends the AdmissionReview that kube-apiserver would send, and applies the returned patch.
 *
 * @param name the name of a built-in pod, or a file with a pod in YAML or JSON
 * @throws {Error} if the pod does not exist or the server does not respond with status 200
 */
export async function demo(name: string, options: { config?: string }): Promise<void> {
  const { podFile, configFile } = await find(name);
  const config = await readConfig(options.config ?? configFile);
  const pod = await readPod(podFile);
  const namespace = pod.metadata?.namespace || "default";
  const isColored = wantsColor(process.stdout);
  const say = (text = "") => process.stdout.write(`${text}\n`);
  const title = (text: string) => say(`\n${isColored ? styleText("bold", text, { validateStream: false }) : text}`);

  const progress = startProgress();
  progress.say("starting the server");
  const { webhook, cert } = await start(config).finally(progress.stop);
  const agent = new Agent({ ca: cert, keepAlive: true });
  try {
    const send = async () => {
      const started = performance.now();
      const { status, text } = await post(webhook.port, agent, JSON.stringify(admissionReview(pod, namespace)));
      if (status !== 200) throw new Error(`the webhook answered ${status}: ${text}`);
      return { answer: JSON.parse(text) as AdmissionAnswer, milliseconds: performance.now() - started };
    };
    title(
      `POST https://localhost:${webhook.port}/mutate, with the AdmissionReview for ${relative(process.cwd(), podFile)}`,
    );
    const source = options.config ?? (configFile && relative(process.cwd(), configFile));
    say(`Configuration: ${source ?? "the built-in default (use --config for another)"}`);
    const first = await send();
    const second = await send();

    const { allowed, warnings = [] } = first.answer.response;
    title("The decision and its reasons");
    const result = prime(pod, { namespace, podSecurity: "privileged", config });
    say(report(`Pod ${namespace}/${pod.metadata?.name ?? "*"}`, result).trimEnd());
    for (const warning of warnings) say(`Warning: ${warning}`);
    title("The pod, before and after");
    const [before, after] = [pod, patched(pod, first.answer)].map((value) =>
      stringify(foldScripts(value), { lineWidth: 0, indentSeq: false }),
    );
    say(showDiff("pod", before!, after!, isColored) || "no difference: the pod was admitted unchanged");
    title("The response");
    const operations = patchOf(first.answer);
    say(
      `allowed: ${allowed}, with a JSON Patch of ${operations.length} operations, ${JSON.stringify(operations).length} bytes`,
    );
    say(
      `${first.milliseconds.toFixed(1)} ms for the first request (with TLS handshake, cold process), ${second.milliseconds.toFixed(1)} ms for a second one on the same connection`,
    );
  } finally {
    agent.destroy();
    await webhook.stop(0);
  }
}

async function find(name: string): Promise<{ podFile: string; configFile?: string }> {
  for (const directory of podDirectories) {
    const [podFile, configFile] = [join(directory, name, "pod.yaml"), join(directory, name, "config.yaml")];
    if (existsSync(podFile)) return { podFile, configFile };
  }
  if (existsSync(name)) return { podFile: name };
  const existing = podDirectories.filter((directory) => existsSync(directory));
  const podNames = await Promise.all(existing.map(async (directory) => readdir(directory)));
  const names = [...new Set(podNames.flat())].toSorted().join(", ");
  throw new Error(`${name} is neither a file nor a built-in pod; built-in pods: ${names}`);
}

async function readPod(file: string): Promise<PodManifest> {
  const pods = readManifests(await readText(file), file).map(({ value }) => value as { kind?: string } | null);
  const pod = pods.find((value) => value?.kind === "Pod");
  if (!pod) throw new Error(`${file}: contains no Pod`);
  return unfoldScripts(pod as PodManifest); // in the built-in pods, scripts are replaced with placeholders
}

async function start(config: Config) {
  const now = Date.now();
  const issued = await selfSigned(["localhost"], { from: new Date(now - 60_000), to: new Date(now + 3_600_000) });
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const clock = () => performance.now();
  const admit = createAdmit({ config: () => config, prime, log, metrics, clock });
  const certificates: CertificateSource = {
    start: async (serve) => serve(checkServingCertificate(issued.cert, issued.key, now)),
    missing: () => "no certificate yet",
    stop: () => undefined,
  };
  const addresses = { host: "localhost", port: 0, opsPort: 0 };
  return { webhook: await startWebhook({ admit, certificates, log, metrics, ...addresses }), cert: issued.cert };
}
