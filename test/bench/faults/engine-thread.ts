import { parentPort, workerData } from "node:worker_threads";
import { runEngine } from "./engine.ts";
import { seed } from "./malformed.ts";

// A thread of runEngineThreads, with its own pods.

const { seed: own, pods } = workerData as { seed: number; pods: number };
seed(own);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows of browsers
parentPort!.postMessage(runEngine(pods));
