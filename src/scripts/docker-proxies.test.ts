import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { workspace } from "../../test/support/script.ts";
import { findTool, haveTools } from "../../test/support/tools.ts";
import script from "./docker-proxies.sh";

// Runs the script as in runner containers: under each shell, with jq, with node, and with neither.

const { folder, pathWith } = workspace();

function run(
  shell: readonly string[],
  tools: readonly string[],
  env: Record<string, string>,
  own?: string,
  isLink = false,
) {
  const bin = pathWith("mkdir", "cat", "mv", "rm", "readlink", ...tools);
  const home = folder();
  const config = join(home, ".docker", "config.json");
  if (own !== undefined) {
    mkdirSync(join(home, ".docker"));
    const target = isLink ? join(folder(), "elsewhere.json") : config;
    writeFileSync(target, own);
    if (isLink) symlinkSync(target, config);
  }
  const [program = "", ...first] = shell;
  const words = ["arc-primer-docker-proxies", "no-proxy=cache:5000", "no-proxy=mirror.svc", "--"];
  const command = [findTool("dash")!, "-c", 'echo "$* $http"', "0", "started"];
  const { stdout, stderr, status } = spawnSync(program, [...first, "-c", script, ...words, ...command], {
    encoding: "utf8",
    env: { PATH: bin, HOME: home, http: "the job's own", ...env },
  });
  expect({ stdout, status }).toEqual({ stdout: "started the job's own\n", status: 0 });
  expect(stderr).not.toContain("hunter2");
  const read = () => JSON.parse(readFileSync(config, "utf8")) as unknown;
  return { stderr, read, config };
}

const proxy = { http_proxy: "http://user:hunter2@proxy:3128/\"'$x", no_proxy: ".svc" };
const want = { httpProxy: proxy.http_proxy, noProxy: ".svc,cache:5000,mirror.svc" };
const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"]];

describe.skipIf(!haveTools("dash", "bash", "busybox", "jq"))("docker-proxies.sh", () => {
  const all = shells.flatMap(([shell = "", ...more]) =>
    ["jq", "node"].map((tool) => [[findTool(shell)!, ...more], tool] as const),
  );

  test.each(all)(
    "%j with %s: writes the proxies from the container's variables, and keeps existing settings",
    (shell, tool) => {
      expect(run(shell, [tool], proxy).read()).toEqual({ proxies: { default: want } });
      const own = { auths: { a: {} }, proxies: { default: { httpProxy: "own" }, "tcp://x": { noProxy: "*" } } };
      expect(run(shell, [tool], proxy, JSON.stringify(own)).read()).toEqual({
        auths: { a: {} },
        proxies: { default: { ...want, httpProxy: "own" }, "tcp://x": { noProxy: "*" } },
      });
    },
  );

  test.each(all)("%j with %s: a config that is not JSON is not changed", (shell, tool) => {
    const { stderr, config } = run(shell, [tool], proxy, "{ not json hunter2");
    expect(readFileSync(config, "utf8")).toBe("{ not json hunter2");
    expect(stderr).toContain("builds get no proxy");
  });

  test.each(all)("%j with %s: a symlink is kept, and its target is written", (shell, tool) => {
    const { config, read } = run(shell, [tool], proxy, "{}", true);
    expect(lstatSync(config).isSymbolicLink()).toBe(true);
    expect(read()).toMatchObject({ proxies: { default: { httpProxy: expect.any(String) } } });
  });

  test.each(shells)("%s: nothing is written without jq and node, or without a proxy", (shell, ...more) => {
    const program = [findTool(shell)!, ...more.filter((word) => typeof word === "string")];
    expect(run(program, [], proxy).stderr).toContain("requires jq or node, and this image has neither");
    const { stderr, read } = run(program, ["jq"], { no_proxy: ".svc" });
    expect(stderr).toBe("");
    expect(read).toThrow("ENOENT");
  });
});
