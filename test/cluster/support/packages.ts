import { spawnSync } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where pods get packages from, as the settings of a profile. */
export interface PackageSource {
  readonly apt: object;
  /** The repository's own address; undefined where packages come from the internet. */
  readonly address?: string;
  /** What was asked for; nothing is known of it where packages come from the internet. */
  readonly requests: string[];
  close(): void;
}

/**
 * A repository that pods can reach, with these packages and all that they depend on. Under `bare` this process serves it
 * at the node's address; elsewhere the image's own sources will do.
 */
export async function packageSource(...packages: string[]): Promise<PackageSource> {
  const requests: string[] = [];
  if (process.env["CLUSTER_PROVIDER"] !== "bare") return { apt: {}, requests, close() {} };
  const script = fileURLToPath(new URL("../bare/packages.sh", import.meta.url));
  const { status, stdout } = spawnSync(script, packages, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} failed`);
  const folder = stdout.trim();
  const server = createServer((request, response) => {
    const name = basename(decodeURIComponent(request.url ?? ""));
    requests.push(name);
    if (!/^(Packages|Release|.*\.deb)$/.test(name) || !existsSync(join(folder, name))) {
      return void response.writeHead(404).end();
    }
    createReadStream(join(folder, name)).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const url = `http://10.244.0.1:${(server.address() as AddressInfo).port}/`; // the node, as pods see it (bare/env.sh)
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
