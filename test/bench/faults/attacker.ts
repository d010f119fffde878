// One kind of attack on a webhook at a port of this machine, limited in number and time:
//   node attacker.ts ATTACK PORT
// Prints a count of the outcomes. The attacks are in `attacks` below.

import { Agent, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { distinctKeys, emptyMaps, longText, manyMounts, nested, wrongEverywhere } from "../../support/attacks.ts";
import { malformed, random } from "./malformed.ts";

const [attack = "", portText = ""] = process.argv.slice(2);
const port = Number(portText);
const where = { host: "127.0.0.1", port, rejectUnauthorized: false };
const megabyte = 1024 * 1024;
const seconds = 20; // the duration of attacks that continue until they are stopped
const counts: Record<string, number> = {};
const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);

const attacks: Readonly<Record<string, () => Promise<unknown>>> = {
  "bodies that once crashed it": () => inTurn(2, [...hostile(), ...hostile(), ...hostile()]),
  "10,000 malformed bodies": () => inTurn(16, malformed(10_000)),
  "10 stalled bodies, again and again": () => Promise.all([...nineLarge, megabyte - 200].map(stalled)),
  "200 clients that send a byte at a time": () => Promise.all(Array.from({ length: 200 }, drip)),
  "3,000 connections": () => connections(3000),
  "1,000 connections with non-TLS bytes": () =>
    inTurn(
      50,
      Array.from({ length: 1000 }, () => junk),
    ),
  "600 connections that send 160 requests and read no response": () => Promise.all(Array.from({ length: 600 }, unread)),
  "8 clients that send pods of 2.9 MB": () => Promise.all(Array.from({ length: 8 }, hog)),
};
const nineLarge = Array.from({ length: 9 }, () => 7 * megabyte);
const until = Date.now() + seconds * 1000;

await attacks[attack]!();
process.stdout.write(JSON.stringify(counts));
process.exit();

function hostile(): string[] {
  return [
    wrongEverywhere(19),
    wrongEverywhere(500),
    wrongEverywhere(1000),
    manyMounts(6),
    manyMounts(96),
    longText(1_000_000),
    longText(6_000_000),
    nested(3_400_000),
    emptyMaps(7 * megabyte - 9),
    distinctKeys(7 * megabyte - 99),
  ];
}

/** Posts the bodies of the list, or calls its functions, `atATime` at a time. */
async function inTurn(atATime: number, list: readonly (string | Buffer | (() => Promise<unknown>))[]): Promise<void> {
  const left = list.values();
  const agent = new Agent({ keepAlive: true, maxSockets: atATime });
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const one of left) await (typeof one === "function" ? one() : post(one, agent));
    }),
  );
}

async function post(body: string | Buffer, agent: Agent): Promise<void> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  await new Promise<void>((resolve) => {
    const sent = request({ ...where, path: "/mutate", method: "POST", agent, headers }, (response) => {
      count(String(response.statusCode));
      response.resume().once("close", resolve);
    });
    sent.once("error", () => {
      count("cut off");
      resolve();
    });
    sent.end(body);
  });
}

async function opened(): Promise<TLSSocket> {
  const socket = connect(where).on("error", () => {});
  await new Promise((resolve) => socket.once("secureConnect", resolve).once("close", resolve));
  return socket;
}

function head(length: number): string {
  return `POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
}

/** Sends a body without its last byte, and starts again when the connection is closed. */
async function stalled(size: number): Promise<void> {
  while (Date.now() < until) {
    const socket = await opened();
    socket.resume().write(head(size) + " ".repeat(size - 1));
    await Promise.race([
      new Promise((resolve) => socket.once("close", resolve)),
      sleep(Math.max(until - Date.now(), 0)),
    ]);
    count("stalled");
    socket.destroy();
  }
}

async function drip(): Promise<void> {
  while (Date.now() < until) {
    const socket = (await opened()).resume();
    socket.write(head(100_000));
    while (!socket.destroyed && Date.now() < until) {
      socket.write(" ");
      await sleep(100);
    }
    count("slow");
    socket.destroy();
  }
}

async function connections(most: number): Promise<void> {
  const sockets: TLSSocket[] = [];
  while (sockets.length < most) {
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, opened))));
  }
  await sleep(2000);
  for (const { destroyed } of sockets) count(destroyed ? "closed" : "open");
}

async function junk(): Promise<void> {
  const socket = connectPlain(where).on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  // Half of them start like a TLS handshake.
  const bytes = Buffer.from(Array.from({ length: 300 }, () => random(256)));
  if (random(2)) bytes.set([0x16, 3, 1, 1, 0x27, 1, 0, 1, 0x23, 3, 3]);
  socket.resume().write(bytes);
  await Promise.race([new Promise((resolve) => socket.once("close", resolve)), sleep(200)]);
  count(socket.destroyed ? "closed" : "left waiting");
  socket.destroy();
}

async function unread(): Promise<void> {
  const body =
    '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"kind":"Pod"},"namespace":"team-a","operation":"CREATE","object":{"metadata":{"labels":{"actions-ephemeral-runner":"True"}},"spec":{"containers":[{"name":"runner","command":["x"]}]}}}}';
  const socket = connect(where).on("error", () => {});
  await new Promise((resolve) => socket.once("secureConnect", resolve).once("close", resolve));
  socket.pause().write((head(body.length) + body).repeat(160));
  await sleep(Math.max(until - Date.now(), 0));
  count(socket.destroyed ? "closed" : "open");
}

async function hog(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = manyMounts(96);
  while (Date.now() < until) await post(body, agent);
}
