import { spawnSync } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A source of packages for pods. */
export interface PackageSource {
  /** The settings `prerequisites.apt` of a profile. */
  readonly apt: object;
  /** The address of the repository; undefined if packages come from the internet. */
  readonly address?: string;
  /** The requested file names; empty if packages come from the internet. */
  readonly requests: string[];
  close(): void;
}

/**
 * Starts a repository with these packages and their dependencies. On a `bare` cluster this process serves it at the node's
 * address. On other clusters, pods use the package sources of their image.
 */
export async function packageSource(...packages: string[]): Promise<PackageSource> {
  const requests: string[] = [];
  if (process.env["CLUSTER_PROVIDER"] !== "bare") return { apt: {}, requests, close() {} };
  const script = fileURLToPath(new URL("../bare/packages.sh", import.meta.url));
  const { status, stdout } = spawnSync(script, packages, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed`);
  const directory = stdout.trim();
  const server = createServer((request, response) => {
    const name = basename(decodeURIComponent(request.url ?? ""));
    requests.push(name);
    if (!/^(Packages|Release|.*\.deb)$/.test(name) || !existsSync(join(directory, name))) {
      return void response.writeHead(404).end();
    }
    createReadStream(join(directory, name)).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const url = `http://10.244.0.1:${(server.address() as AddressInfo).port}/`; // the node's address in the pod network (bare/env.sh)
  return {
    apt: { sources: [{ url, suites: ["./"], trusted: true }] },
    address: url,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
