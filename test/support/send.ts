import { Agent, request } from "node:https";
import type { RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";

// All requests of the burst of 200 pods must be in flight at once.
const keepAliveAgent = new Agent({ keepAlive: true, maxSockets: 256 });

export interface Received {
  readonly response: IncomingMessage;
  readonly text: string;
}

/**
 * Sends an HTTPS request over a keep-alive connection. The server may have closed the connection while it was idle, which a
 * test that has blocked for minutes notices only when it writes. Such a request was not processed, so it is sent again over
 * a new connection.
 */
export async function send(url: URL, options: RequestOptions, text: string): Promise<Received> {
  try {
    return await once(url, { ...options, agent: keepAliveAgent }, text);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return once(url, { ...options, agent: false }, text);
  }
}

class StaleConnection extends Error {}

async function once(url: URL, options: RequestOptions, text: string): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => resolve({ response, text: Buffer.concat(chunks).toString() }));
    });
    sent.once("error", (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && ["EPIPE", "ECONNRESET"].includes(error.code ?? "");
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    sent.end(text);
  });
}
