import { request as requestHttp } from "node:http";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "./kubeconfig.ts";

/** The API server's response. */
export interface HttpResponse {
  readonly status: number;
  readonly text: string;
  readonly warnings: readonly string[];
}

/**
 * Sends one request and returns the response, whatever its status.
 *
 * @throws {ClusterError} if there are no credentials or no response
 */
export async function exchange(
  config: KubeConfig,
  { url, method, seconds, body }: { url: URL; method: string; seconds: number; body: unknown },
): Promise<HttpResponse> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const options: RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const user = config.getCurrentUser()?.name ?? "none";
    throw new ClusterError(
      `cannot get credentials for the kubeconfig user ${user}: ${reasonOf(error as Error, seconds)}`,
    );
  }
  const headers = {
    ...(options.headers as Record<string, string>),
    accept: "application/json",
    ...(text && { "content-type": "application/json" }),
    "content-length": Buffer.byteLength(text),
  };
  const signal = AbortSignal.timeout(seconds * 1000);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new ClusterError(`the API server at ${url.origin} cannot be reached: ${reasonOf(error, seconds)}`));
    const send = url.protocol === "http:" ? requestHttp : request;
    const sent = send(url, { ...options, method, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", fail);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString("utf8"),
          warnings: (response.headersDistinct["warning"] ?? []).map(warningText),
        }),
      );
    });
    sent.once("error", fail);
    sent.end(text);
  });
}

/** The text in a header such as `299 - "the text"` (RFC 7234, 5.5). */
function warningText(header: string): string {
  const text = parsed(header.replace(/^\d{3} \S+ /, ""));
  return typeof text === "string" ? text : header;
}

/** If several addresses refuse the connection, the error is an AggregateError without a message. */
function reasonOf(error: Error & { code?: string; errors?: Error[] }, seconds: number): string {
  if (error.name === "AbortError" || error.name === "TimeoutError") return `no response within ${seconds} s`;
  const messages = error.errors?.map(({ message }) => message).join(", ");
  return messages || error.message.trim() || (error.code ?? "no reason given");
}

/** Parses JSON; undefined if the text is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
