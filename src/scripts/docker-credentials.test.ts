import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allShells, workspace } from "../../test/support/script.ts";
import { findTool, haveTools } from "../../test/support/tools.ts";
import { jobVariables } from "../../test/support/variables.ts";
import script from "./docker-credentials.sh";

// Runs the script as in runner containers: under each shell, with and without jq and node.

const files = workspace();
const isRoot = process.getuid?.() === 0;
const user = 1001;

function folder(): string {
  const path = files.folder();
  if (isRoot) chownSync(path, user, user);
  return path;
}

const auth = (text: string) => ({ auth: Buffer.from(text).toString("base64") });
const secret = { auths: { "known.example.com": auth("ours:hunter2"), "both.example.com": auth("ours:hunter3") } };

interface Options {
  tools?: string[];
  env?: Record<string, string>;
  /** The content of ~/.docker/config.json; undefined: no file. */
  own?: string;
  /** The content of the Secret; null: no Secret. */
  mounted?: string | null;
}

function run(shell: readonly string[], { tools = [], env = {}, own, mounted = JSON.stringify(secret) }: Options) {
  const [mount, home] = [folder(), folder()];
  const file = join(mount, "config.json");
  if (mounted !== null) writeFileSync(file, mounted, { mode: 0o444 });
  const config = join(home, ".docker", "config.json");
  if (own !== undefined) {
    mkdirSync(join(home, ".docker"));
    writeFileSync(config, own);
    if (isRoot) for (const path of [join(home, ".docker"), config]) chownSync(path, user, user);
  }
  const [program = "", ...first] = shell;
  const words = ["arc-primer-docker-credentials", `file=${file}`, "secret=logins", "--"];
  const command = [findTool("dash")!, "-c", `umask; echo "started $*"; ${findTool("env")}`, "0", "with", "two  words"];
  const { stdout, stderr, status } = spawnSync(program, [...first, "-c", script, ...words, ...command], {
    encoding: "utf8",
    env: { PATH: files.pathWith("mkdir", "cat", "mv", "rm", "grep", ...tools), HOME: home, ...env },
    ...(isRoot && { uid: user, gid: user }),
  });
  const [mask, started, ...seen] = stdout.split("\n");
  expect({ mask, started, status }).toEqual({ mask: "0022", started: "started with two  words", status: 0 });
  for (const word of ["hunter2", "hunter3", ...Object.values(secret.auths).map((one) => one.auth)]) {
    expect(stderr).not.toContain(word);
  }
  return { home, config, seen, stderr, text: existsSync(config) ? readFileSync(config, "utf8") : undefined };
}

describe.runIf(haveTools("dash", "bash", "busybox", "jq"))("docker-credentials.sh", () => {
  process.umask(0o022);
  describe.each(allShells)("under %s", (_name, sh) => {
    test("without a config, the Secret is copied, and only the runner's user can read and write the copy", () => {
      const { home, config, stderr, text } = run(sh, {});
      expect(text).toBe(JSON.stringify(secret));
      expect(stderr).toBe(`arc-primer: the logins of the Secret logins were written to ${config}\n`);
      const { mode, uid } = statSync(config);
      expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o600, uid: isRoot ? user : process.getuid?.() });
      expect(statSync(join(home, ".docker")).mode & 0o777).toBe(0o700);
    });

    test("an empty config counts as none", () => {
      expect(run(sh, { own: "" }).text).toBe(JSON.stringify(secret));
    });

    test("DOCKER_CONFIG sets the directory, and missing parent directories are created", () => {
      const place = join(folder(), "deep/er");
      const { text } = run(sh, { env: { DOCKER_CONFIG: place } });
      expect(text).toBeUndefined();
      expect(JSON.parse(readFileSync(join(place, "config.json"), "utf8"))).toEqual(secret);
    });

    test.each([["jq"], ["node"]])(
      "logins are added to an existing config with %s; its own entries for a registry are kept",
      (tool) => {
        const own = {
          auths: { "both.example.com": auth("mine:mine") },
          proxies: { default: { httpProxy: "http://proxy" } },
        };
        const { text, stderr, config } = run(sh, { tools: [tool], own: JSON.stringify(own) });
        expect(JSON.parse(text ?? "")).toEqual({
          ...own,
          auths: { "known.example.com": secret.auths["known.example.com"], ...own.auths },
        });
        expect(stderr).toBe(`arc-primer: the logins of the Secret logins were added to ${config}\n`);
        expect(statSync(config).mode & 0o777).toBe(0o600);
      },
    );

    test.each([["jq"], ["node"]])("a config without auths, and a Secret without auths, with %s", (tool) => {
      expect(JSON.parse(run(sh, { tools: [tool], own: "{}" }).text ?? "")).toEqual(secret);
      expect(JSON.parse(run(sh, { tools: [tool], own: '{"a":1}', mounted: "{}" }).text ?? "")).toEqual({
        a: 1,
        auths: {},
      });
    });

    test("the runner's own node is used, but not the one for Alpine", () => {
      const home = folder();
      const externals = join(home, "externals");
      for (const name of ["node20_alpine", "node24"]) mkdirSync(join(externals, name, "bin"), { recursive: true });
      writeFileSync(join(externals, "node20_alpine/bin/node"), "not for this system", { mode: 0o755 });
      symlinkSync(findTool("node")!, join(externals, "node24/bin/node"));
      mkdirSync(join(home, ".docker"));
      const config = join(home, ".docker/config.json");
      writeFileSync(config, "{}");
      if (isRoot) for (const path of [join(home, ".docker"), config]) chownSync(path, user, user);
      run(sh, { env: { HOME: home } });
      expect(JSON.parse(readFileSync(config, "utf8"))).toEqual(secret);
    });

    test("with neither jq nor node, an existing config is not changed, and the log says so", () => {
      const { text, stderr } = run(sh, { own: '{"a":1}' });
      expect(text).toBe('{"a":1}');
      expect(stderr).toMatch(
        /was not changed: adding the logins of the Secret logins requires jq or node, and this image has neither/,
      );
    });

    test.each([["jq"], ["node"]])(
      "an invalid config is not changed, and the log contains nothing of it (%s)",
      (tool) => {
        for (const [own, mounted] of [
          ["{ hunter2", JSON.stringify(secret)],
          ["{}", "hunter2 {"],
          ['["hunter2"]', JSON.stringify(secret)],
        ] as const) {
          const { text, stderr, home } = run(sh, { tools: [tool], own, mounted });
          if (tool === "node" && own.startsWith("[")) continue; // JavaScript can add properties to an array
          expect(text).toBe(own);
          expect(stderr).toMatch(/was not changed: .* check that the file is valid JSON and can be replaced\n$/);
          expect(existsSync(join(home, ".docker/config.json.arc-primer"))).toBe(false);
        }
      },
    );

    test.each([["jq"], ["node"]])(
      "the command's environment variables are not changed when logins are added with %s",
      (tool) => {
        const own = jobVariables(script);
        expect(Object.keys(own)).toEqual(expect.arrayContaining(["file", "secret", "config", "node", "new"]));
        const { seen } = run(sh, { tools: [tool], own: "{}", env: own });
        for (const [name, value] of Object.entries(own)) expect(seen).toContain(`${name}=${value}`);
      },
    );

    test("a credsStore hides all logins, and the log says so", () => {
      const { stderr } = run(sh, { tools: ["jq"], own: '{"credsStore":"pass"}' });
      expect(stderr).toMatch(/sets credsStore, so Docker ignores these logins\n$/);
    });

    test("without the Secret, the command is started without logins", () => {
      const { text, stderr } = run(sh, { mounted: null });
      expect(text).toBeUndefined();
      expect(stderr).toMatch(
        /the Secret logins of type kubernetes\.io\/dockerconfigjson was not found in this namespace/,
      );
    });

    test("without a writable HOME, the command is started without logins", () => {
      expect(run(sh, { env: { HOME: "" } }).stderr).toContain("neither DOCKER_CONFIG nor HOME is set");
      expect(run(sh, { env: { DOCKER_CONFIG: "/proc/nowhere" } }).stderr).toContain("/proc/nowhere cannot be created");
    });
  });
});
