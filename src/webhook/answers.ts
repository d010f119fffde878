import type { RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createBudget } from "./budget.ts";

export interface AnswerLimits {
  /** The maximum total size of all answers that clients have not read yet, in bytes. */
  readonly maxTotalBytes: number;
  /** The maximum time to send an answer, in milliseconds. */
  readonly milliseconds: number;
}

export interface Answers {
  /** Handles one request at a time per connection: the next one only after the previous answer was sent. */
  oneAtATime(listener: RequestListener): RequestListener;
  send(response: ServerResponse, status: number, type: string, body: string): void;
}

/**
 * Limits the memory for answers that clients do not read. An answer can be ten times as large as its request.
 * kube-apiserver sends one request at a time on a connection. A client that sends the next request before it can have
 * received the answer is disconnected.
 */
export function createAnswers({ maxTotalBytes, milliseconds }: AnswerLimits): Answers {
  const budget = createBudget(maxTotalBytes);
  const last = new WeakMap<Socket, ServerResponse>();

  return {
    oneAtATime: (listener) => (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return; // pipelined requests are still parsed after the socket was destroyed
      const previous = last.get(socket);
      last.set(socket, response);
      if (!previous || previous.writableFinished) listener(request, response);
      else if (previous.writableEnded) previous.once("finish", () => listener(request, response));
      else socket.destroy();
    },
    // Used instead of Express's `response.send`, which also checks the body's type and the request's freshness.
    send(response, status, type, body) {
      const bytes = Buffer.from(body);
      const drop = () => {
        share.release(); // released here, because the "close" event may come later
        response.destroy();
      };
      const share = budget.reserve(drop);
      const timer = setTimeout(drop, milliseconds);
      response.once("close", () => {
        clearTimeout(timer);
        share.release();
      });
      share.resize(bytes.length);
      response.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes);
    },
  };
}
