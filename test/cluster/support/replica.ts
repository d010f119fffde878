import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";

const bundle = new URL("../../../dist/arc-primer.mjs", import.meta.url).pathname;

/** The real bundle as a process, with a certificate that it manages itself. */
export function startReplica(options: {
  kubeconfig: string;
  port: number;
  opsPort: number;
  secret: string;
  configuration: string;
  times: readonly string[];
}) {
  const { kubeconfig, port, opsPort, secret, configuration, times } = options;
  const args = [
    "serve",
    ["--host=localhost", `--port=${port}`, `--ops-port=${opsPort}`, "--shutdown-delay=0s"],
    [`--tls-secret=${secret}`, `--tls-webhook-configuration=${configuration}`, "--tls-dns-name=localhost"],
    times,
  ].flat();
  const child = spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env["PATH"] ?? "", KUBECONFIG: kubeconfig },
    stdio: ["ignore", "pipe", "inherit"],
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
    async stop() {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

/** A handshake as kube-apiserver makes it with this caBundle: the certificate's fingerprint. Throws if not trusted. */
export async function handshake(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "localhost", servername: "localhost", ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** A way to the API server that can be shut. */
export async function gate(target: { host: string; port: number }) {
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((socket) => {
    if (!open) return void socket.destroy();
    const upstream = connectTcp(target);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => sockets.delete(one) && other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const shut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut,
    open: () => void (open = true),
    close() {
      shut();
      server.close();
    },
  };
}
