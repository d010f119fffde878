import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo, Socket, TcpNetConnectOpts } from "node:net";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";

const bundle = new URL("../../../dist/arc-primer.mjs", import.meta.url).pathname;

/** Starts the built program as a process with a self-managed certificate. */
export function startReplica(options: {
  kubeconfig: string;
  port: number;
  opsPort: number;
  secret: string;
  configuration: string;
  /** Additional arguments of `serve`. */
  args: readonly string[];
  /** Discard its stderr. */
  quiet?: boolean;
}) {
  const { kubeconfig, port, opsPort, secret, configuration } = options;
  const args = [
    "serve",
    ["--host=localhost", `--port=${port}`, `--ops-port=${opsPort}`],
    [`--tls-secret=${secret}`, `--tls-webhook-configuration=${configuration}`, "--tls-dns-name=localhost"],
    options.args,
  ].flat();
  const child = spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env["PATH"] ?? "", KUBECONFIG: kubeconfig },
    stdio: ["ignore", "pipe", options.quiet ? "ignore" : "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  return {
    port,
    lines: () =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { msg: string; level: string; [key: string]: unknown }),
    readiness: async () => {
      const response = await fetch(`http://localhost:${opsPort}/readyz`);
      return { status: response.status, text: await response.text() };
    },
    metrics: async () => (await fetch(`http://localhost:${opsPort}/metrics`)).text(),
    ended: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      child.kill("SIGTERM");
      return exit;
    },
    /** Kills the process, as if its node had failed. */
    async kill() {
      child.kill("SIGKILL");
      return exit;
    },
  };
}

/** Connects as kube-apiserver does with this caBundle. Returns the certificate's fingerprint. Throws if it is not trusted. */
export async function handshake(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "localhost", servername: "localhost", ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** Pipes two sockets into each other until one of them closes. */
function pipeBoth(socket: Socket, target: TcpNetConnectOpts, sockets: Set<Socket>): void {
  const upstream = connectTcp(target);
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    sockets.add(one);
    one.on("error", () => other.destroy()).on("close", () => sockets.delete(one)); // buffered data is still sent
    one.pipe(other);
  }
}

/**
 * Listens on a new port and forwards each connection to the current address from `target`. Closes it if there is none.
 */
async function forward(target: () => TcpNetConnectOpts | undefined) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const address = target();
    if (address) pipeBoth(socket, address, sockets);
    else socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}

/** A proxy to the API server that can be blocked. */
export async function gate(target: { host: string; port: number }) {
  let open = true;
  const proxy = await forward(() => (open ? target : undefined));
  return {
    ...proxy,
    shut() {
      open = false;
      proxy.cut();
    },
    open: () => void (open = true),
  };
}

/** A common address for several replicas, like a Service: each new connection goes to the next ready port. */
export async function service(readyPorts: () => readonly number[]) {
  let turn = 0;
  return forward(() => {
    const ports = readyPorts();
    turn += 1;
    return ports.length > 0 ? { host: "localhost", port: ports[turn % ports.length]! } : undefined;
  });
}
