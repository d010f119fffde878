import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, run } from "./debian-tree.ts";
import type { DebianPackage } from "./debian-tree.ts";

/** A Debian package repository on loopback, signed with its own key, with packages that are built for the test. */
export interface AptRepository {
  readonly url: string;
  /** The public key for its signature, ASCII-armoured. */
  readonly key: string;
  /** The requested paths, in order. */
  readonly requests: string[];
  /** While true, connections are accepted but requests are not answered. */
  hanging: boolean;
  close(): void;
}

/** @param port by default, any free port */
export async function aptRepository(packages: readonly DebianPackage[], port = 0): Promise<AptRepository> {
  const folder = mkdtempSync(join(tmpdir(), "arc-primer-repository-"));
  const home = mkdtempSync(join(tmpdir(), "arc-primer-gpg-"));
  const gpg = ["--homedir", home, "--batch", "--quiet", "--passphrase", ""];
  for (const one of packages) buildPackage(folder, one);
  const within = { cwd: folder, encoding: "utf8" as const };
  writeFileSync(join(folder, "Packages"), execFileSync("apt-ftparchive", ["packages", "."], within));
  writeFileSync(join(folder, "Release"), execFileSync("apt-ftparchive", ["release", "."], within));
  run("gpg", [...gpg, "--quick-generate-key", "repository@example.com", "rsa2048", "sign", "never"]);
  run("gpg", [...gpg, "--clearsign", "--output", join(folder, "InRelease"), join(folder, "Release")]);
  const key = run("gpg", [...gpg, "--armor", "--export", "repository@example.com"]);
  rmSync(home, { recursive: true });

  const requests: string[] = [];
  const repository = { hanging: false };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    requests.push(path);
    if (repository.hanging) return;
    const file = join(folder, path.split("/").at(-1) ?? "");
    if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
    response.setHeader("content-length", statSync(file).size);
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
  return Object.assign(repository, {
    url,
    key,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    },
  });
}
