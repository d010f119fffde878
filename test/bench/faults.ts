// npm run bench:faults [-- engine] [-- fuzz]: what goes wrong when everything goes wrong. Both parts without arguments.
//
//   engine   FAULTS_PODS (1,000,000) generated pods through the engine, each twice
//   fuzz     attacks on the process as the chart starts it, with ordinary reviews meanwhile
//
// All traffic stays on this machine, is bounded, and ends by itself. Writes docs/reliability.md when both have run.

import { fileURLToPath } from "node:url";
import { runEngine } from "./faults/engine.ts";
import type { EngineResult } from "./faults/engine.ts";
import { runFuzz } from "./faults/fuzz.ts";
import { writeReliability } from "./faults/page.ts";
import { machine } from "./support/machine.ts";

const wanted = process.argv.slice(2);
const runs = (part: string) => wanted.length === 0 || wanted.includes(part);
const noted = machine();

let engine: EngineResult | undefined;
if (runs("engine")) {
  engine = runEngine(Number(process.env["FAULTS_PODS"] ?? 1_000_000));
  process.stderr.write(`${JSON.stringify(engine, null, 2)}\n`);
}
if (runs("fuzz")) {
  const attacked = await runFuzz(fileURLToPath(new URL("../../dist/arc-primer.mjs", import.meta.url)));
  if (engine) await writeReliability(engine, attacked, noted());
}
