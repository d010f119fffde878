import type { RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createBudget } from "./budget.ts";

export interface AnswerLimits {
  /** All answers that have not been read yet, in bytes. */
  readonly together: number;
  /** From an answer's first byte to its last. */
  readonly milliseconds: number;
}

export interface Answers {
  /** Lets a connection ask for the next answer only when it has read the last one. */
  oneAtATime(listener: RequestListener): RequestListener;
  send(response: ServerResponse, status: number, type: string, body: string): void;
}

/**
 * Bounds what answers cost that nobody reads: they are ten times as large as what is asked. kube-apiserver sends one
 * request at a time on a connection; a client that sends the next before it can have seen the answer is cut off.
 */
export function createAnswers({ together, milliseconds }: AnswerLimits): Answers {
  const budget = createBudget(together);
  const last = new WeakMap<Socket, ServerResponse>();

  return {
    oneAtATime: (listener) => (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return; // the rest of what was sent at once is read all the same
      const before = last.get(socket);
      last.set(socket, response);
      if (!before || before.writableFinished) listener(request, response);
      else if (before.writableEnded) before.once("finish", () => listener(request, response));
      else socket.destroy();
    },
    // Not Express's own, which looks at a body's type and the request's freshness.
    send(response, status, type, body) {
      const bytes = Buffer.from(body);
      const cut = () => {
        holding.release(); // the socket may take a while to say that it is closed
        response.destroy();
      };
      const holding = budget.hold(cut);
      const timer = setTimeout(cut, milliseconds);
      response.once("close", () => {
        clearTimeout(timer);
        holding.release();
      });
      holding.resize(bytes.length);
      response.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes);
    },
  };
}
