// npm run bench:admission: the cost of an admission, compared with servers that do nothing. It needs no cluster and takes about
// eight minutes. Set BENCH_SECONDS (2) and BENCH_ROUNDS (5) to make it shorter. The page shows both.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { selfSigned } from "../../src/tls/certificate.ts";
import { drawAdmission, writeAdmission } from "./admission/page.ts";
import type { Heap, Results } from "./admission/page.ts";
import { firstAnswer, handshakes, post } from "./admission/first-answer.ts";
import { load, loader } from "./admission/load.ts";
import { reviewOf } from "./admission/reviews.ts";
import { constant, start, webhook } from "./admission/servers.ts";
import type { Files, Startable } from "./admission/servers.ts";
import { machine, memory } from "./support/machine.ts";

const seconds = Number(process.env["BENCH_SECONDS"] ?? 2);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5);
const sizes = [7_000, 50_000, 500_000];
const connections = [1, 8, 64];
const starts = 2 * rounds;
/** Seconds of load before the first measurement. V8 needs thousands of reviews to compile everything. */
const warmUp = 10;
const [serverCore, loadCore] = [0, cpus().length - 1];

const say = (text: string) => process.stderr.write(`${text}\n`);
if (loadCore === 0)
  throw new Error("the server and the load generator need one core each, but this machine has only one");
spawnSync("taskset", ["-cp", `${loadCore}`, `${process.pid}`], { stdio: ["ignore", "ignore", "inherit"] });

const folder = mkdtempSync(join(tmpdir(), "arc-primer-bench-"));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true });
}

async function bench(): Promise<void> {
  const noted = machine({ [loader.name]: loader.version });
  const bodies = sizes.map((size) => file(`review-${size}.json`, reviewOf(size)));
  const small = readFileSync(bodies[0]!, "utf8");
  const files = await certificateAndConfig();
  await answerOf(webhook(files), small, files.answer);
  const servers = [webhook(files), constant("https", files), constant("express", files)];

  const runs = await loads(servers, bodies);
  const heap = await heaps([webhook(files), webhook(files, {})], bodies[0]!);
  const [first, handshake] = [await firsts(servers, small), await connects(servers)];
  const results: Results = {
    runs,
    heap,
    first,
    handshake,
    seconds,
    rounds,
    bytes: sizes.map((size) => reviewOf(size).length),
  };
  await drawAdmission(results);
  await writeAdmission(results, noted());
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The configuration of the golden test: the wait, and a mirror. */
async function certificateAndConfig(): Promise<Files> {
  const now = Date.now();
  const { cert, key } = await selfSigned(["localhost"], {
    from: new Date(now - 60_000),
    to: new Date(now + 86_400_000),
  });
  const config = readFileSync(new URL("../golden/dind-sidecar/config.yaml", import.meta.url), "utf8");
  return {
    cert: file("tls.crt", cert),
    key: file("tls.key", key),
    config: file("config.yaml", config),
    answer: join(folder, "answer.json"),
  };
}

/** Stores a real answer, so that the constant servers send the same number of bytes. */
async function answerOf(server: Startable, body: string, path: string): Promise<void> {
  const running = await start(server, serverCore);
  const text = await post(running.port, body, false);
  await running.stop();
  const { response } = JSON.parse(text) as { response: { allowed: boolean; patch?: string } };
  if (!response.allowed || !response.patch) throw new Error(`this pod should be primed: ${text}`);
  writeFileSync(path, text);
}

/** Measures every server under every load, alternating in each round, so that other load on the machine affects all of them. */
async function loads(servers: readonly Startable[], bodies: readonly string[]): Promise<Results["runs"]> {
  const runs: Results["runs"] = [];
  const running = await Promise.all(servers.map(async (server) => start(server, serverCore)));
  for (const server of running) {
    await load(server, bodies[0]!, { connections: 8, seconds: warmUp, core: loadCore });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, body] of bodies.entries()) {
      for (const many of connections) {
        for (const server of running) {
          const measured = await load(server, body, { connections: many, seconds, core: loadCore });
          runs.push({ server: server.name, round, size: sizes[index]!, connections: many, ...measured });
        }
      }
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  for (const server of running) await server.stop();
  return runs;
}

/** Measures the memory with each environment, alternating in each round. */
async function heaps(servers: readonly Startable[], body: string): Promise<Results["heap"]> {
  const results = servers.map(({ env }) => ({
    options: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    rounds: [] as Heap[],
  }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, server] of servers.entries()) results[index]!.rounds.push(await heapOf(server, body));
  }
  return results;
}

/** The memory of a new process: idle, and the peak under the load of the goals. */
async function heapOf(server: Startable, body: string): Promise<Heap> {
  const running = await start(server, serverCore);
  await sleep(2000);
  const rest = memory(running.pid).resident;
  await load(running, body, { connections: 8, seconds: Math.max(5 * seconds, 5), core: loadCore });
  const { peak } = memory(running.pid);
  await sleep(2000);
  const after = memory(running.pid).resident;
  await running.stop();
  return { rest, peak, after };
}

async function firsts(servers: readonly Startable[], body: string): Promise<Results["first"]> {
  const times = servers.map(({ name }) => ({ name, milliseconds: [] as number[] }));
  for (let count = 0; count < starts; count += 1) {
    for (const [index, server] of servers.entries()) {
      times[index]!.milliseconds.push(await firstAnswer(server, serverCore, body));
    }
  }
  return times;
}

async function connects(servers: readonly Startable[]): Promise<Results["handshake"]> {
  const running = await Promise.all(servers.map(async (server) => start(server, serverCore)));
  const results = running.map(({ name }) => ({ name, rounds: [] as { latency: number; cpu: number }[] }));
  for (const server of running) await handshakes(server, 200);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, server] of running.entries()) results[index]!.rounds.push(await handshakes(server, 300));
  }
  for (const server of running) await server.stop();
  return results;
}
