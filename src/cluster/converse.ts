import { Agent, request } from "node:http";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { Cluster, Readable } from "./connect.ts";
import { dial } from "./dial.ts";
import type { Target } from "./dial.ts";
import type { Conversation, ServedCertificate } from "./readings.ts";

const seconds = 8;

/** A review, and the path of the registration's entry that its namespace has. */
export interface Question {
  readonly path: string;
  readonly review: object;
}

/**
 * Talks to a webhook as kube-apiserver does: looks at the certificate that it serves, and asks it.
 *
 * @param options.servername the name that the API server calls it by
 * @param options.ca the registration's caBundle, PEM; empty for what the system trusts
 */
export async function converse(
  cluster: Cluster,
  target: Target,
  options: { servername: string; ca: string; questions: readonly Question[] },
): Promise<Pick<Conversation, "certificate" | "answers">> {
  try {
    const socket = await handshake(await dial(cluster, target, seconds), options);
    const certificate = served(socket);
    try {
      return { certificate, answers: { found: await ask(socket, options.questions) } };
    } catch (error) {
      return { certificate, answers: { failed: `it did not answer: ${(error as Error).message}` } };
    } finally {
      socket.destroy();
    }
  } catch (error) {
    const { message } = error as Error;
    const why = message.includes("is forbidden") ? { forbidden: message } : { failed: message };
    return { certificate: why, answers: why };
  }
}

async function handshake(way: Duplex, { servername, ca }: { servername: string; ca: string }): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Whether it is to be trusted is said afterwards, so that a certificate that is not can be looked at.
    const socket = connect({ socket: way, servername, ...(ca && { ca }), rejectUnauthorized: false });
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS handshake within ${seconds} s`)), seconds * 1000);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`no TLS handshake: ${error.message}`));
    });
    way.once("error", (error: Error) => socket.destroy(error));
  });
}

function served(socket: TLSSocket): Readable<ServedCertificate> {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { failed: "no certificate was served" };
  const error = socket.authorizationError as Error | string | undefined;
  return {
    found: {
      distrusted: socket.authorized ? undefined : error instanceof Error ? error.message : String(error),
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
    },
  };
}

/** Posts the reviews one after the other over the connection. What differs from one answer to the next by chance is left out. */
async function ask(socket: TLSSocket, questions: readonly Question[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  const answers: string[] = [];
  for (const question of questions) answers.push(await post(agent, question));
  return answers;
}

async function post(agent: Agent, { path, review }: Question): Promise<string> {
  const body = JSON.stringify(review);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = { agent, path, method: "POST", headers, signal: AbortSignal.timeout(seconds * 1000) };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`HTTP status ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
