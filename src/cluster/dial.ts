import { connect as connectTcp } from "node:net";
import { Duplex, PassThrough, Writable } from "node:stream";
import { PortForward } from "@kubernetes/client-node";
import type { Cluster } from "./connect.ts";

/** Where a webhook listens: a URL, or a port of a pod. */
export type Target =
  { readonly url: string } | { readonly namespace: string; readonly pod: string; readonly port: number };

/**
 * Connects to the target. A URL is dialled directly. A pod is reached through the API server and the kubelet, as by
 * `kubectl port-forward`, which requires permission to create `pods/portforward`.
 *
 * @throws {Error} if the connection fails, with a message for the user
 */
export async function dial(cluster: Cluster, target: Target, seconds: number): Promise<Duplex> {
  if ("url" in target) return dialAddress(new URL(target.url), seconds);
  const { namespace, pod, port } = target;
  const input = new PassThrough();
  const connection = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void input.write(chunk, done),
    final: (done) => void input.end(done),
  });
  const output = writable((chunk) => connection.push(chunk));
  // The kubelet writes here why it cannot reach the port.
  const errors = writable((chunk) => connection.destroy(new Error(chunk.toString("utf8").trim())));
  const opened = new PortForward(cluster.config).portForward(namespace, pod, [port], output, errors, input);
  const socket = await within(seconds, opened).catch((error: Error) => {
    throw new Error(`cannot forward port ${port} of the pod ${namespace}/${pod}: ${reasonOf(error)}`);
  });
  if (typeof socket === "function") throw new Error("port forwarding returned an unexpected type of connection");
  socket.addEventListener("close", () => connection.push(null));
  connection.once("close", () => socket.close());
  return connection;
}

function writable(take: (chunk: Buffer) => unknown): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length > 0) take(chunk);
      done();
    },
  });
}

async function dialAddress({ hostname, port }: URL, seconds: number): Promise<Duplex> {
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port: Number(port || 443) });
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${seconds} s`)), seconds * 1000);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(`${host}:${port || 443} cannot be reached: ${error.message || error.code}`));
    });
  });
}

async function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The error of the WebSocket contains the API server's status code but no reason. */
function reasonOf({ message }: Error): string {
  const status = /Unexpected server response: (\d+)/.exec(message)?.[1];
  if (status === "403") return "it is forbidden; this requires the verbs get and create on pods/portforward";
  return status ? `the API server returned ${status}` : message;
}
