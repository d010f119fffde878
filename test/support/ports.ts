import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** Returns unused ports. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

/** An unused port from 13142 on. apt-cacher-ng accepts no port above 32767, and the system assigns free ports above that. */
export async function freeLowPort(): Promise<number> {
  for (let port = 13142; port < 32768; port += 1) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "0.0.0.0", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error("there is no free port below 32768");
}
