import { spawnSync } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where pods get packages from, as the settings of a profile. */
export interface PackageSource {
  readonly apt: object;
  /** What was asked for; nothing is known of it where packages come from the internet. */
  readonly requests: string[];
  close(): void;
}

/**
 * A repository that pods can reach, with these packages and all that they depend on. Under `bare` this process serves it
 * at the node's address. Elsewhere the image's own sources will do; and where the image is a stand-in, which has none,
 * those of this machine, which has to be of the same Debian.
 */
export async function packageSource(...packages: string[]): Promise<PackageSource> {
  const requests: string[] = [];
  if (process.env["CLUSTER_PROVIDER"] !== "bare") {
    const apt = process.env["CLUSTER_IMAGES"] === "stand-ins" ? { sources: sourcesOfThisMachine() } : {};
    return { apt, requests, close() {} };
  }
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
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The first archive that apt on this machine is set to use. */
function sourcesOfThisMachine(): object[] {
  const args = ["indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"];
  const { stdout } = spawnSync("apt-get", args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  const found = /^(https?:\S+) (bookworm) (main)$/m.exec(stdout);
  if (!found) throw new Error("apt on this machine has no source of Debian bookworm, of which the stand-ins are made");
  const [, url, suite, component] = found;
  return [{ url, suites: [suite], components: [component], trusted: true }];
}
