// npm run bench:faults: the behaviour under faults. The variable FAULTS selects parts (default: "api fuzz engine", all of them):
//
//   api      creates pods on a real API server for FAULTS_SECONDS (600), while faults are injected into the webhook's replicas
//   fuzz     attacks the process as the chart starts it, and sends ordinary reviews meanwhile
//   engine   runs FAULTS_PODS (1,000,000) generated pods through the engine, each twice
//
// All traffic stays on this machine, is limited, and stops by itself. Each part stores its result in .cache/faults. When all
// results exist, docs/reliability.md is written.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createPodsUnderFaults, troubleCount } from "../cluster/support/faults.ts";
import { runEngineThreads } from "./faults/engine.ts";
import { runFuzz } from "./faults/fuzz.ts";
import { writeReliability } from "./faults/page.ts";
import { machine } from "./support/machine.ts";

const all = ["api", "fuzz", "engine"];
const wanted = process.env["FAULTS"]?.split(" ") ?? all;
const seconds = Number(process.env["FAULTS_SECONDS"] ?? 600);
const pods = Number(process.env["FAULTS_PODS"] ?? 1_000_000);
const bundle = fileURLToPath(new URL("../../dist/arc-primer.mjs", import.meta.url));
const results = new URL("../../.cache/faults/", import.meta.url);
const noted = machine();
const show = (result: unknown) => process.stderr.write(`${JSON.stringify(result, null, 2)}\n`);

/** Runs a part if it is selected. Returns its result, or the result of an earlier run. */
async function part<T>(name: string, run: () => Promise<T>): Promise<T | undefined> {
  const file = new URL(`${name}.json`, results);
  if (wanted.includes(name)) {
    const result = await run();
    mkdirSync(results, { recursive: true });
    writeFileSync(file, JSON.stringify(result, null, 2));
  }
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}

const faults = await part("api", async () => createPodsUnderFaults(seconds / troubleCount, show));
const attacked = await part("fuzz", async () => runFuzz(bundle));
const engine = await part("engine", async () => runEngineThreads(pods));
if (faults && attacked && engine) await writeReliability({ faults, attacked, engine }, noted());
