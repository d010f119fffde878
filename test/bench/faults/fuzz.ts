import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "node:https";
import { admissionReview, post } from "../../../src/cli/admission-client.ts";
import { selfSigned } from "../../../src/tls/certificate.ts";
import { freePorts } from "../../support/ports.ts";
import { goldenPod } from "../../support/pods.ts";
import { memory } from "../support/machine.ts";

export interface Attacked {
  readonly attack: string;
  /** The outcomes of the attacker's requests and connections, with their counts. */
  readonly outcome: Readonly<Record<string, number>>;
  /** Ordinary reviews that were sent meanwhile, one after another, each on a new connection. */
  readonly reviews: number;
  /** The ordinary reviews that were not answered with a patch. */
  readonly failed: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly slowest: number;
  /** MB, the highest memory of the process so far. */
  readonly peak: number;
  readonly alive: boolean;
}

export const attacks = [
  "bodies that once crashed it",
  "10,000 malformed bodies",
  "10 stalled bodies, again and again",
  "200 clients that send a byte at a time",
  "3,000 connections",
  "1,000 connections with non-TLS bytes",
  "600 connections that send 160 requests and read no response",
  "8 clients that send pods of 2.9 MB",
] as const;

/** As the chart starts it (templates/deployment.yaml). */
const environment = { NODE_OPTIONS: "--max-old-space-size=192 --max-semi-space-size=4", MALLOC_ARENA_MAX: "2" };

/** Runs all attacks against one process, one after another, and sends it ordinary reviews meanwhile. */
export async function runFuzz(bundle: string): Promise<Attacked[]> {
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-fuzz-"));
  const issued = await selfSigned(["localhost"], {
    from: new Date(Date.now() - 60_000),
    to: new Date(Date.now() + 3.6e6),
  });
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  writeFileSync(cert, issued.cert);
  writeFileSync(key, issued.key);
  const [port = 0, opsPort = 0] = await freePorts(2);
  const own = ["--host=127.0.0.1", `--port=${port}`, `--ops-port=${opsPort}`, "--log-level=warn"];
  const child = spawn(
    process.execPath,
    [bundle, "serve", ...own, `--tls-cert-file=${cert}`, `--tls-private-key-file=${key}`],
    {
      env: { PATH: process.env["PATH"], ...environment },
      stdio: "ignore",
    },
  );
  const results: Attacked[] = [];
  try {
    for (let tries = 0; !(await answers(port)); tries += 1) {
      if (tries > 100) throw new Error("the webhook does not start");
      await sleep(100);
    }
    for (const attack of attacks) {
      results.push(await attacked(attack, port, child.pid!));
      process.stderr.write(`${JSON.stringify(results.at(-1))}\n`);
      if (!results.at(-1)!.alive) break;
    }
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
  return results;
}

async function attacked(attack: string, port: number, pid: number): Promise<Attacked> {
  const attacker = spawn(process.execPath, [new URL("attacker.ts", import.meta.url).pathname, attack, String(port)], {
    env: {
      PATH: process.env["PATH"],
      NODE_OPTIONS: `--import ${new URL("../support/scripts-as-text.ts", import.meta.url)}`,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  attacker.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const over = new AbortController();
  void once(attacker, "close").then(() => over.abort());
  const times: number[] = [];
  let failed = 0;
  while (!over.signal.aborted) {
    const started = performance.now();
    if (!(await answers(port))) failed += 1;
    times.push(performance.now() - started);
    await sleep(50);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN);
  const { alive, peak } = stateOf(pid);
  return {
    attack,
    outcome: JSON.parse(text || "{}") as Record<string, number>,
    reviews: times.length,
    failed,
    median: at(0.5),
    p99: at(0.99),
    slowest: at(1),
    peak,
    alive,
  };
}

function stateOf(pid: number): { alive: boolean; peak: number } {
  try {
    const { peak } = memory(pid);
    return { alive: !Number.isNaN(peak), peak: Math.round(peak) };
  } catch {
    return { alive: false, peak: Number.NaN };
  }
}

const review = JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners"));

/** Whether a review on a new connection is answered with a patch. */
async function answers(port: number): Promise<boolean> {
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: false, timeout: 5000 });
  try {
    const { status, text } = await post(port, agent, review);
    return status === 200 && text.includes('"patch":');
  } catch {
    return false;
  } finally {
    agent.destroy();
  }
}
