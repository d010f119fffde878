import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bundle = file("../../../dist/arc-primer.mjs");

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** The command line of a server after `node`, and its environment. */
export interface Startable {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

export interface Files {
  readonly cert: string;
  readonly key: string;
  readonly config: string;
  /** The answer of the constant servers. */
  readonly answer: string;
}

type Environment = Readonly<Record<string, string>>;

/** The environment variables in the webhook's manifest, such as Node.js' flags. */
const shipped = environment();

function environment(): Environment {
  const manifests = parseAllDocuments(readFileSync(file("../../cluster/manifests/webhook.yaml"), "utf8"));
  const deployment = manifests.map((one) => one.toJS() as { kind: string }).find(({ kind }) => kind === "Deployment");
  const { env } = (
    deployment as unknown as {
      spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
    }
  ).spec.template.spec.containers[0]!;
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

/** The released bundle. */
export function webhook({ cert, key, config }: Files, env = shipped): Startable {
  const flags = ["--host=localhost", "--port=0", "--ops-port=0", "--shutdown-delay=0s"];
  const args = [bundle, "serve", `--config=${config}`, `--tls-cert-file=${cert}`, `--tls-private-key-file=${key}`];
  return { name: "arc-primer", args: [...args, ...flags], env };
}

/** A server that reads the body and answers with a constant. */
export function constant(kind: "https" | "express", { cert, key, answer }: Files): Startable {
  return {
    name: kind === "https" ? "node:https, constant" : "Express, constant",
    args: [file("constant.ts"), kind, cert, key, answer],
    env: {},
  };
}

/** Starts a server on one core, and reads its log to the end, like a container runtime. */
export async function start({ name, args, env }: Startable, core: number): Promise<Running> {
  const child = spawn("taskset", ["-c", `${core}`, process.execPath, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: undefined, MALLOC_ARENA_MAX: undefined, ...env },
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended at its start, with exit code ${code}`)));
    const lines = createInterface(child.stdout).on("line", (line) => {
      const { port: found } = JSON.parse(line) as { port?: number };
      if (found === undefined) return;
      lines.close(); // and no more work on its lines
      resolve(found);
    });
  });
  child.stdout.resume();
  return {
    name,
    port,
    pid: child.pid!, // taskset becomes node
    async stop() {
      if (child.exitCode !== null) throw new Error(`${name} exited with code ${child.exitCode}`);
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}
