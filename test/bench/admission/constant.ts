// A webhook that does nothing, as a baseline: it reads the body and answers with a constant.
// usage: node constant.ts https|express CERT KEY ANSWER-FILE      prints the port it listens on

import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import express from "express";

const [kind = "", certFile = "", keyFile = "", answerFile = ""] = process.argv.slice(2);
const answer = readFileSync(answerFile);

/** Calls back with the whole body, unless the client disconnects before its end. */
function withBody(request: IncomingMessage, then: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => chunks.splice(0));
  request.once("end", () => then(Buffer.concat(chunks)));
}

const app = express();
app.post("/mutate", (request, response) => withBody(request, () => response.type("json").send(answer)));

const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const server =
  kind === "express"
    ? createServer(tls, app)
    : createServer(tls, (request, response) => {
        const headers = { "content-type": "application/json", "content-length": answer.length };
        withBody(request, () => response.writeHead(200, headers).end(answer));
      });
server.listen(0, "localhost", () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
