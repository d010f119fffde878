import { createHash } from "node:crypto";
import { createServer } from "node:https";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { selfSigned } from "../../../src/tls/certificate.ts";

// The only part of a kubelet that the test tier without a node needs: port forwarding for kube-apiserver, to ports of this
// machine.

/** An address of this machine that an endpoint may have. Loopback addresses are not allowed in endpoints. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((one = []) => one);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (!found) throw new Error("this machine has no IPv4 address except localhost");
  return found.address;
}

/** Starts a kubelet for port forwarding, on a free port. */
export async function startKubelet(): Promise<{ port: number; close: () => void }> {
  const now = Date.now();
  const { cert, key } = await selfSigned(["kubelet"], { from: new Date(now - 60_000), to: new Date(now + 86_400_000) });
  const server = createServer({ cert, key });
  const sockets = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    accept(request, socket);
    forward(Number(/[?&]port=(\d+)/.exec(request.url ?? "")?.[1]), socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The server's part of the WebSocket handshake (RFC 6455, 4.2.2). */
function accept({ headers }: IncomingMessage, socket: Duplex): void {
  const sum = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${sum.digest("base64")}`,
    "Sec-WebSocket-Protocol: v4.channel.k8s.io",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Channel 0 carries the data, channel 1 the errors. The first message of each channel is the port number. */
function forward(port: number, socket: Duplex): void {
  const number = Buffer.from([port & 255, port >> 8]);
  for (const channel of [0, 1]) socket.write(frame(channel, number));
  const target = connect({ port, host: "127.0.0.1" });
  target.on("data", (data: Buffer) => void socket.write(frame(0, data)));
  target.on("error", (error) => void socket.write(frame(1, Buffer.from(error.message))));
  target.on("close", () => socket.destroy());
  socket.on("close", () => target.destroy());
  let rest = Buffer.alloc(0);
  socket.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (let next = unframe(rest); next; next = unframe(rest)) {
      rest = rest.subarray(next.length);
      if (next.opcode === 8) return void socket.destroy();
      if (next.payload[0] === 0) target.write(next.payload.subarray(1));
    }
  });
}

/** Encodes a binary message. Messages from a server are not masked. */
function frame(channel: number, data: Buffer): Buffer {
  const length = data.length + 1;
  const head = length < 126 ? Buffer.from([0x82, length]) : Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (length >= 126) head.writeUInt32BE(length, 6);
  return Buffer.concat([head, Buffer.from([channel]), data]);
}

/** Decodes the first message in `bytes`. Messages from a client are masked. Returns undefined if it is incomplete. */
function unframe(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 127;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start + 4) return undefined;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6);
  if (bytes.length < start + 4 + size) return undefined;
  const mask = bytes.subarray(start, start + 4);
  const payload = bytes.subarray(start + 4, start + 4 + size).map((byte, index) => byte ^ mask[index % 4]!);
  return { opcode: bytes[0]! & 15, payload: Buffer.from(payload), length: start + 4 + size };
}
