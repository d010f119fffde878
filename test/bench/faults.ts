// npm run bench:faults: what goes wrong when everything goes wrong. FAULTS chooses parts (all: "api fuzz engine"):
//
//   api      FAULTS_SECONDS (600) of creating pods on a real API server while the webhook's replicas have trouble
//   fuzz     attacks on the process as the chart starts it, with ordinary reviews meanwhile
//   engine   FAULTS_PODS (1,000,000) generated pods through the engine, each twice
//
// All traffic stays on this machine, is bounded, and ends by itself. Writes docs/reliability.md when all parts have run.

import { fileURLToPath } from "node:url";
import { createPodsUnderFaults, troubleCount } from "../cluster/support/faults.ts";
import { removeNamespaces } from "../cluster/support/kube.ts";
import { runEngineThreads } from "./faults/engine.ts";
import { runFuzz } from "./faults/fuzz.ts";
import { writeReliability } from "./faults/page.ts";
import { machine } from "./support/machine.ts";

const all = ["api", "fuzz", "engine"];
const wanted = process.env["FAULTS"]?.split(" ") ?? all;
const seconds = Number(process.env["FAULTS_SECONDS"] ?? 600);
const pods = Number(process.env["FAULTS_PODS"] ?? 1_000_000);
const bundle = fileURLToPath(new URL("../../dist/arc-primer.mjs", import.meta.url));
const noted = machine();
const show = (result: unknown) => process.stderr.write(`${JSON.stringify(result, null, 2)}\n`);

const faults = wanted.includes("api") ? await createPodsUnderFaults(seconds / troubleCount, show) : undefined;
await removeNamespaces();
const attacked = wanted.includes("fuzz") ? await runFuzz(bundle) : undefined;
const engine = wanted.includes("engine") ? await runEngineThreads(pods) : undefined;
show(engine);
if (faults && attacked && engine) await writeReliability({ faults, attacked, engine }, noted());
