import { Agent, request } from "node:http";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { Cluster, ReadResult } from "./connect.ts";
import { dial } from "./dial.ts";
import type { Target } from "./dial.ts";
import type { WebhookCall, ServedCertificate } from "./readings.ts";

/** The timeout of each step: connecting, the TLS handshake, each request. */
const seconds = 8;

/** A review to send, and the path of the webhook configuration's entry for its namespace. */
export interface ReviewRequest {
  readonly path: string;
  readonly review: object;
}

/**
 * Calls a webhook as kube-apiserver does: reads the certificate that it serves, and sends it reviews.
 *
 * @param options.servername the host name that the API server uses in the TLS handshake
 * @param options.ca the caBundle of the webhook configuration in PEM format; empty for the CAs of the system
 */
export async function callWebhook(
  cluster: Cluster,
  target: Target,
  options: { servername: string; ca: string; reviews: readonly ReviewRequest[] },
): Promise<Pick<WebhookCall, "certificate" | "responses">> {
  try {
    const socket = await handshake(await dial(cluster, target, seconds), options);
    const certificate = served(socket);
    try {
      return { certificate, responses: { found: await ask(socket, options.reviews) } };
    } catch (error) {
      return { certificate, responses: { failed: `the request failed: ${(error as Error).message}` } };
    } finally {
      socket.destroy();
    }
  } catch (error) {
    const { message } = error as Error;
    const why = message.includes("is forbidden") ? { forbidden: message } : { failed: message };
    return { certificate: why, responses: why };
  }
}

async function handshake(
  connection: Duplex,
  { servername, ca }: { servername: string; ca: string },
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Untrusted certificates are accepted here, so that doctor can report them.
    const socket = connect({ socket: connection, servername, ...(ca && { ca }), rejectUnauthorized: false });
    const timer = setTimeout(() => socket.destroy(new Error(`no TLS handshake within ${seconds} s`)), seconds * 1000);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`no TLS handshake: ${error.message}`));
    });
    connection.once("error", (error: Error) => socket.destroy(error));
  });
}

function served(socket: TLSSocket): ReadResult<ServedCertificate> {
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

/** Posts the reviews one after the other over one connection, and returns the response bodies. */
async function ask(socket: TLSSocket, reviews: readonly ReviewRequest[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  const responses: string[] = [];
  for (const review of reviews) responses.push(await post(agent, review));
  return responses;
}

async function post(agent: Agent, { path, review }: ReviewRequest): Promise<string> {
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
