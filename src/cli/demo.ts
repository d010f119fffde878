import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { stringify } from "yaml";
import { admissionReview, patchOf, patched, post } from "./admission-client.ts";
import type { AdmissionAnswer } from "./admission-client.ts";
import { createAdmit } from "../webhook/admit.ts";
import { startWebhook } from "../webhook/webhook.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { readManifests } from "../manifests/yaml.ts";
import { mutations } from "../mutations/index.ts";
import { createPrime } from "../engine/prime.ts";
import { report } from "../report/report.ts";
import { selfSigned } from "../tls/certificate.ts";
import { filesSource } from "../tls/files.ts";
import { readConfig } from "./config.ts";
import { foldScripts, showDiff, unfoldScripts } from "./show.ts";

const prime = createPrime({ mutations, version: ARC_PRIMER_VERSION });
const golden = fileURLToPath(new URL("../test/golden/", import.meta.url)); // beside dist/, in a checkout
const namespace = "arc-runners";

interface PodManifest {
  metadata?: { name?: string };
}

/**
 * `arc-primer demo`: the whole way of an admission, over a real socket: the HTTPS server with a certificate made for
 * the occasion, the AdmissionReview that kube-apiserver would send, the patch applied.
 *
 * @param name a folder of test/golden, or a file with one pod in YAML or JSON
 * @throws {Error} if there is no such pod, or the server does not answer as it should
 */
export async function demo(name: string, options: { config?: string }): Promise<void> {
  const { podFile, configFile } = await find(name);
  const config = await readConfig(options.config ?? configFile);
  const pod = await readPod(podFile);
  const say = (text = "") => process.stdout.write(`${text}\n`);
  const title = (text: string) => say(`\n${color() ? styleText("bold", text, { validateStream: false }) : text}`);

  const folder = await mkdtemp(join(tmpdir(), "arc-primer-demo-"));
  try {
    const { webhook, cert } = await start(folder, config);
    title(
      `POST https://localhost:${webhook.port}/mutate, with the AdmissionReview for ${relative(process.cwd(), podFile)}`,
    );
    say(
      `Configuration: ${options.config ?? (configFile ? relative(process.cwd(), configFile) : "the built-in default (name another with --config)")}`,
    );
    const agent = new Agent({ ca: cert, keepAlive: true });
    const send = async () => {
      const started = performance.now();
      const { status, text } = await post(webhook.port, agent, JSON.stringify(admissionReview(pod, namespace)));
      if (status !== 200) throw new Error(`the webhook answered ${status}: ${text}`);
      return { answer: JSON.parse(text) as AdmissionAnswer, milliseconds: performance.now() - started };
    };
    const first = await send();
    const again = await send();
    agent.destroy();
    await webhook.stop(0);

    const { allowed, warnings = [] } = first.answer.response;
    const primed = patched(pod, first.answer);

    title("What was decided, and why");
    const looked = prime(pod, { namespace, podSecurity: "privileged", config });
    say(report(`Pod ${namespace}/${pod.metadata?.name ?? "*"}`, looked).trimEnd());
    for (const warning of warnings) say(`Warning: ${warning}`);
    title("The pod, before and after");
    const [before, after] = [pod, primed].map((value) =>
      stringify(foldScripts(value), { lineWidth: 0, indentSeq: false }),
    );
    say(showDiff("pod", before!, after!, color()) || "no difference: the pod was admitted as it came");
    title("The answer");
    const operations = patchOf(first.answer);
    say(
      `allowed: ${allowed}, with a JSON Patch of ${operations.length} operations, ${JSON.stringify(operations).length} bytes`,
    );
    say(
      `${first.milliseconds.toFixed(1)} ms with the TLS handshake and a cold process, ${again.milliseconds.toFixed(1)} ms on the open connection`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function find(name: string): Promise<{ podFile: string; configFile?: string }> {
  if (existsSync(join(golden, name, "pod.yaml"))) {
    return { podFile: join(golden, name, "pod.yaml"), configFile: join(golden, name, "config.yaml") };
  }
  if (existsSync(name)) return { podFile: name };
  const cases = existsSync(golden) ? (await readdir(golden)).join(", ") : "none here";
  throw new Error(`there is no file ${name}, and no built-in pod of that name; there are: ${cases}`);
}

async function readPod(file: string): Promise<PodManifest> {
  const pods = readManifests(await readFile(file, "utf8"), file).map(({ value }) => value as { kind?: string } | null);
  const pod = pods.find((value) => value?.kind === "Pod");
  if (!pod) throw new Error(`${file}: there is no Pod in it`);
  return unfoldScripts(pod as PodManifest); // the built-in ones are written with the scripts left out
}

async function start(folder: string, config: Awaited<ReturnType<typeof readConfig>>) {
  const now = Date.now();
  const issued = await selfSigned(["localhost"], { from: new Date(now - 60_000), to: new Date(now + 3_600_000) });
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  await writeFile(certFile, issued.cert);
  await writeFile(keyFile, issued.key, { mode: 0o600 });
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const clock = () => performance.now();
  const admit = createAdmit({ config: () => config, prime, log, metrics, clock });
  const certificates = filesSource({ certFile, keyFile, interval: 1000, log, metrics });
  const addresses = { host: "localhost", port: 0, opsPort: 0 };
  return { webhook: await startWebhook({ admit, certificates, log, metrics, ...addresses }), cert: issued.cert };
}

/** A demonstration is coloured wherever it is shown, unless NO_COLOR is set (no-color.org). */
function color(): boolean {
  return !process.env["NO_COLOR"];
}
