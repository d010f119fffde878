import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { cpuSeconds, versionOf } from "../support/machine.ts";
import type { Running } from "./servers.ts";

/** One run of load on one server. Times are in milliseconds. `cpu` is the server's CPU time per request. */
export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
}

interface Counted {
  requests: number;
  microseconds: number;
  /** Microseconds. */
  p50: number;
  p99: number;
  /** The number of responses other than 2xx. */
  refused: number;
  broken: number;
}

/** The load generator, with its version. */
export const loader = wrk() ?? autocannon();

interface Loader {
  readonly name: string;
  readonly version: string;
  command(url: string, body: string, connections: number, seconds: number): string[];
  read(printed: string): Counted;
}

function wrk(): Loader | undefined {
  const version = /^wrk (?:debian\/)?(\S+)/.exec(versionOf("wrk", "--version") ?? "")?.[1];
  if (!version) return undefined;
  const script = fileURLToPath(new URL("post.lua", import.meta.url));
  return {
    name: "wrk",
    version,
    command: (url, body, connections, seconds) => [
      "wrk",
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "--timeout",
      "10s",
      "-s",
      script,
      url,
      "--",
      body,
    ],
    read: (printed) => JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Counted,
  };
}

/** Used if wrk is not installed. It needs much more CPU time, and measures whole milliseconds. */
function autocannon(): Loader {
  process.stderr.write("without wrk (apt-get install wrk), autocannon makes the load\n");
  const require = createRequire(import.meta.url);
  const program = require.resolve("autocannon");
  const { version } = require("autocannon/package.json") as { version: string };
  return {
    name: "autocannon",
    version,
    command: (url, body, connections, seconds) => [
      process.execPath,
      program,
      "--json",
      "--no-progress",
      "-c",
      `${connections}`,
      "-d",
      `${seconds}`,
      "-m",
      "POST",
      "-H",
      "content-type=application/json",
      "-i",
      body,
      url,
    ],
    read(printed) {
      const { requests, duration, latency, non2xx, errors } = JSON.parse(printed) as {
        requests: { total: number };
        duration: number;
        latency: { p50: number; p99: number };
        non2xx: number;
        errors: number;
      };
      return {
        requests: requests.total,
        microseconds: duration * 1e6,
        p50: latency.p50 * 1000,
        p99: latency.p99 * 1000,
        refused: non2xx,
        broken: errors,
      };
    },
  };
}

/**
 * Puts load on a server for some seconds over this number of keep-alive connections, each with one request at a time.
 *
 * @param body the file to post
 * @throws if a response was not 2xx
 */
export async function load(
  server: Running,
  body: string,
  { connections, seconds, core }: { connections: number; seconds: number; core: number },
): Promise<Measured> {
  const command = loader.command(`https://localhost:${server.port}/mutate`, body, connections, seconds);
  const cpu = cpuSeconds(server.pid);
  const printed = await output("taskset", "-c", `${core}`, ...command);
  const used = cpuSeconds(server.pid) - cpu;
  const { requests, microseconds, p50, p99, refused, broken } = loader.read(printed);
  if (refused + broken > 0 || requests === 0) {
    throw new Error(
      `${server.name}: of ${requests} requests, ${refused} were rejected and ${broken} were interrupted\n${printed}`,
    );
  }
  return {
    perSecond: (requests / microseconds) * 1e6,
    p50: p50 / 1000,
    p99: p99 / 1000,
    cpu: (used / requests) * 1000,
  };
}

async function output(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command} ${args.join(" ")}: exit ${code}\n${text}`)),
    );
  });
}
