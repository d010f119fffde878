import { Agent, request } from "node:https";
import { connect } from "node:tls";
import { cpuSeconds } from "../support/machine.ts";
import { median } from "../support/page.ts";
import { start } from "./servers.ts";
import type { Running, Startable } from "./servers.ts";

/** Posts a body once. Without an agent, this uses a new connection with a full TLS handshake. */
export async function post(port: number, body: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const options = { agent, port, host: "localhost", path: "/mutate", method: "POST", headers };
    const call = request({ ...options, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.once("error", reject);
      response.once("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    call.once("error", reject);
    call.end(body);
  });
}

/** Milliseconds from the start of the process to its first answer to a review. */
export async function firstAnswer(server: Startable, core: number, body: string): Promise<number> {
  const began = performance.now();
  const running = await start(server, core);
  await post(running.port, body, false);
  const milliseconds = performance.now() - began;
  await running.stop();
  return milliseconds;
}

/** The cost of a connection that is used once: milliseconds until it can be used, and milliseconds of the server's CPU time. */
export async function handshakes(server: Running, count: number): Promise<{ latency: number; cpu: number }> {
  const latencies: number[] = [];
  const before = cpuSeconds(server.pid);
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    // Without a session, none is resumed. kube-apiserver's client does not store sessions either.
    const socket = connect({ port: server.port, host: "localhost", rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    latencies.push(performance.now() - began);
    await new Promise<void>((resolve) => socket.once("close", () => resolve()).destroy());
  }
  return { latency: median(latencies), cpu: ((cpuSeconds(server.pid) - before) / count) * 1000 };
}
