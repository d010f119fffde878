import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, renameSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { Agent } from "node:https";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import jsonPatch from "fast-json-patch";
import { afterAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { admissionReview, post } from "../src/cli/admission-client.ts";
import { bundleWord } from "../src/bundles/bundle.ts";
import { indexEntry } from "../src/bundles/index-entry.ts";
import { settingsDigest } from "../src/bundles/settings.ts";
import { parseConfig } from "../src/config/load.ts";
import { containerOf, goldenPod } from "./support/pods.ts";
import { freePorts } from "./support/ports.ts";
import { certificate } from "./support/webhook.ts";

// Runs the bundle as a process. `npm test` builds it first.

const program = fileURLToPath(new URL("../dist/arc-primer.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-cli-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function start(args: readonly string[], stdin = "", env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"] ?? "", ...env } });
  children.push(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  child.stdin.end(stdin);
  const exit = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, exit, stdout: () => stdout };
}

const run = async (args: readonly string[], stdin?: string, env?: Record<string, string>) =>
  start(args, stdin, env).exit;

const golden = (name: string, part: string) => fileURLToPath(new URL(`golden/${name}/${part}`, import.meta.url));
const pod = golden("dind-sidecar", "pod.yaml");

describe("render", () => {
  test("prints the pod to stdout and the report to stderr", async () => {
    const { code, stdout, stderr } = await run(["render", pod, "--config", golden("dind-sidecar", "config.yaml")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: readFileSync(golden("dind-sidecar", "report.txt"), "utf8") });
    expect(stdout).toContain("--registry-mirror=http://registry-cache.arc-primer.svc:5000");
    expect(stdout).toMatch(/^# The pod that ARC 0\.14\.2 creates/); // comments are kept
    expect(parse(stdout)).toMatchObject({ kind: "Pod", metadata: { name: "linux-x64-7hs5v-runner-k2m9d" } });
  });

  test("every output format contains the same pod", async () => {
    const [yaml, json, patch] = await Promise.all(
      ["yaml", "json", "patch"].map(async (form) => (await run(["render", pod, "-o", form])).stdout),
    );
    const primed = JSON.parse(json!) as object;
    expect(parse(yaml!)).toEqual(primed);
    expect(
      jsonPatch.applyPatch(goldenPod("dind-sidecar"), JSON.parse(patch!) as jsonPatch.Operation[]).newDocument,
    ).toEqual(primed);
  });

  test("prints a diff, coloured if requested", async () => {
    const plain = await run(["render", pod, "-o", "diff"]);
    expect(plain.stdout).toContain("\n-    startupProbe:\n");
    expect(plain.stdout).toContain("\n+    - arc-primer-wait\n");
    expect(plain.stdout).toContain("\n+    - <the text of src/scripts/wait-for-docker.sh>\n");
    expect(plain.stdout).not.toContain("\u001B[");
    const coloured = await run(["render", pod, "-o", "diff"], "", { FORCE_COLOR: "1" });
    expect(coloured.stdout).toContain("\u001B[32m+    - arc-primer-wait");
  });

  test("as a Helm post-renderer, passes documents without runners through byte for byte, with comments and spacing", async () => {
    const before = "# Source: chart/a.yaml\napiVersion: v1\nkind:   ConfigMap\ndata: { a: 'on',   b: 0755 } # kept\n";
    const after =
      "---\n# Source: chart/c.yaml\nkind: Service\napiVersion: v1\nspec: &x\n    ports: [ ]\nstatus: *x\n...\n---\n# nothing\n";
    const scaleSet = `---
# Source: chart/b.yaml
apiVersion: actions.github.com/v1alpha1
kind: AutoscalingRunnerSet
metadata:
  name: linux-x64 # the scale set
spec:
  maxRunners: 010
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: runner
        image: ghcr.io/actions/actions-runner:latest
        command: ["/home/runner/run.sh"] # in brackets
        env:
        - name: DOCKER_HOST
          value: unix:///var/run/docker.sock
`;
    const { code, stdout, stderr } = await run(["render"], before + scaleSet + after);
    expect(code).toBe(0);
    expect(stdout.startsWith(before)).toBe(true);
    expect(stdout.endsWith(after)).toBe(true);
    const changed = stdout.slice(before.length, stdout.length - after.length);
    expect(changed).toContain("# Source: chart/b.yaml");
    expect(changed).toContain("name: linux-x64 # the scale set");
    const value = parse(changed, { version: "1.1" }) as {
      spec: { maxRunners: number; template: { metadata: object; spec: { containers: { command: string[] }[] } } };
    };
    expect(changed).toContain("\n        - |\n          #!/bin/sh\n"); // the script is readable
    expect(value.spec.maxRunners).toBe(8); // octal, as kubectl reads it
    expect(value.spec.template.spec.containers[0]?.command).toContain("arc-primer-wait");
    expect(Object.keys(value.spec.template.metadata)).toEqual(["annotations"]); // ARC adds the labels later
    expect(stderr).toBe("AutoscalingRunnerSet default/linux-x64: profile default\n  wait-for-docker: applied\n");
  });

  test("--explain also reports mutations that the profile does not configure", async () => {
    const { code, stdout, stderr } = await run(["render", pod, "--explain"]);
    expect(code).toBe(0);
    expect(stderr).toContain(
      "  dockerd-settings: skipped (not-configured)\n    The profile does not configure this mutation.\n",
    );
    const plain = await run(["render", pod]);
    expect(plain.stdout).toBe(stdout);
    expect(plain.stderr).not.toContain("not-configured");
  });

  test("rendering the output again changes nothing", async () => {
    const once = (await run(["render", pod])).stdout;
    const twice = await run(["render"], once);
    expect(twice.stdout).toBe(once);
    expect(twice.stderr).toContain("already-there");
  });

  const { spec, metadata } = goldenPod("dind-sidecar");
  const template = { metadata: { annotations: { mine: "1" } }, spec };
  test.each<[string, object, (output: Record<string, never>) => unknown]>([
    [
      "EphemeralRunnerSet",
      { ephemeralRunnerSpec: { githubConfigUrl: "x", ...template } },
      ({ spec: inner }) => (inner as unknown as Record<string, unknown>)["ephemeralRunnerSpec"],
    ],
    ["EphemeralRunner", { githubConfigUrl: "x", ...template }, ({ spec: inner }) => inner],
  ])("primes the template in an %s", async (kind, body, templateIn) => {
    const manifest = {
      apiVersion: "actions.github.com/v1alpha1",
      kind,
      metadata: { name: "x", namespace: "n" },
      spec: body,
    };
    const { stdout } = await run(["render"], JSON.stringify(manifest));
    const output = templateIn(JSON.parse(stdout) as Record<string, never>);
    expect(output).toMatchObject({
      githubConfigUrl: "x",
      metadata: { annotations: { mine: "1", "arc-primer.dev/status": expect.stringContaining("wait-for-docker") } },
    });
    expect(JSON.stringify(output)).toContain("arc-primer-wait");
  });

  test("handles typed and untyped lists; a list without runners is not changed", async () => {
    const bare = { metadata, spec };
    const lists = [
      {
        apiVersion: "v1",
        kind: "List",
        items: [
          { apiVersion: "v1", kind: "Secret" },
          { apiVersion: "v1", kind: "Pod", ...bare },
        ],
      },
      { apiVersion: "v1", kind: "PodList", items: [bare] },
      { apiVersion: "v1", kind: "PodList", items: [{ metadata: { name: "other" }, spec: { containers: [] } }] },
    ];
    const outputs = await Promise.all(lists.map(async (list) => (await run(["render"], JSON.stringify(list))).stdout));
    expect(outputs[0]).toContain("arc-primer-wait");
    expect(outputs[1]).toContain("arc-primer-wait");
    expect(JSON.parse(outputs[2]!)).toEqual(lists[2]);
  });

  test("the rule is chosen by the manifest's namespace, else by --namespace", async () => {
    const config = file(
      "rules.yaml",
      "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\nprofiles: { off: { enabled: false } }\nrules: [{ namespaces: [quiet], profile: off }]\n".replaceAll(
        "off",
        '"off"',
      ),
    );
    const here = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, namespace: undefined }, spec };
    const quiet = await run(["render", "--config", config, "--namespace", "quiet"], JSON.stringify(here));
    expect(quiet.stderr).toContain("left unchanged (profile-disabled)");
    const own = await run(["render", "--config", config, "--namespace", "quiet", pod]);
    expect(own.stderr).toContain("profile default");
  });

  test("numbers and strings keep their type for kubectl, in new, edited and unchanged parts", async () => {
    const config = file(
      "odd.yaml",
      "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\nprofiles: { default: { docker: { daemon: { env: { A: '0o17', B: '1e3' } } } } }\n",
    );
    const text = readFileSync(pod, "utf8").replace("priority: 0", "priority: 9223372036854775807\n  anchor: &a 1\n");
    const { stdout } = await run(["render", "--config", config], text);
    expect(stdout).toContain('value: "0o17"');
    expect(stdout).toContain('value: "1e3"');
    expect(stdout).toContain("priority: 9223372036854775807");
    const untouched = '{"x":12345678901234567890,"y":1.0}';
    expect((await run(["render"], untouched)).stdout).toBe(untouched);
  });

  test("several documents: a List for JSON, patches and diffs by name", async () => {
    const other = JSON.stringify({ ...goldenPod("dind-container"), metadata: { ...metadata, name: "other" } });
    const two = `${readFileSync(pod, "utf8")}\n---\nkind: ConfigMap\n---\n${other}\n`;
    const list = (await run(["render", "-o", "json"], two)).stdout;
    expect(JSON.parse(list)).toMatchObject({
      kind: "List",
      items: [{ kind: "Pod" }, { kind: "ConfigMap" }, { kind: "Pod" }],
    });
    expect((await run(["render"], list)).stderr).toContain("already-there");
    const patches = JSON.parse((await run(["render", "-o", "patch"], two)).stdout) as object;
    expect(Object.keys(patches)).toEqual(["Pod arc-runners/linux-x64-7hs5v-runner-k2m9d", "Pod arc-runners/other"]);
    expect((await run(["render", "-o", "diff"], two)).stdout).toContain("+++ Pod arc-runners/other primed");
  });

  test.each(["diff", "yaml", "json", "patch"])(
    "--exit-code with -o %s: 0 without changes, 1 with changes, 2 on failure",
    async (form) => {
      const args = ["render", "--exit-code", "-o", form];
      const primed = (await run(["render", pod])).stdout;
      expect(await run(args, primed)).toMatchObject({ code: 0 });
      expect(await run(args, "kind: ConfigMap\n")).toMatchObject({ code: 0 });
      const changes = await run([...args, pod]);
      expect(changes).toMatchObject({ code: 1, stdout: (await run(["render", "-o", form, pod])).stdout });
      expect(await run(args, "a: [")).toMatchObject({ code: 2, stdout: "" });
      expect(await run([...args, "--config", "/nowhere", pod])).toMatchObject({ code: 2, stdout: "" });
    },
  );

  test("handles a document that is indented as a whole", async () => {
    const indented = readFileSync(pod, "utf8").replaceAll(/^(?=.)/gm, "  ");
    expect(parse((await run(["render"], indented)).stdout)).toEqual(parse((await run(["render", pod])).stdout));
  });

  test("YAML aliases in a runner's manifest are expanded", async () => {
    const text = readFileSync(pod, "utf8")
      .replace("resources: {}", "resources: &none {}")
      .replace("resources: {}", "resources: *none");
    const { stdout } = await run(["render"], text);
    expect(parse(stdout)).toEqual(parse((await run(["render", pod])).stdout));
  });

  test.each([
    ["broken YAML", "a: [", /standard input: .*line 1/s],
    ["incomplete JSON", '{"kind": ', /standard input: /],
  ])("%s is an error with its location, and nothing is printed", async (_what, text, message) => {
    const { code, stdout, stderr } = await run(["render"], text);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("unchanged lines stay the same, and comments are not duplicated", async () => {
    const { stdout } = await run(["render", pod]);
    expect(stdout.match(/^# The pod that ARC/gm)).toHaveLength(1);
    const removed = (await run(["render", pod, "-o", "diff"])).stdout.match(/^-(?!-)/gm);
    expect(removed).toHaveLength(10); // the startup probe
  });

  test("a malformed pod is reported with the field, without its value", async () => {
    const broken = readFileSync(pod, "utf8").replace("- name: runner\n", "- name: [secret]\n");
    const { code, stderr } = await run(["render"], broken);
    expect(code).toBe(0);
    expect(stderr).toContain("The first invalid field is spec.containers[0].name.");
    expect(stderr).not.toContain("secret");
  });

  test("values of ARC's chart get a hint", async () => {
    const { stderr } = await run(["render"], "githubConfigUrl: https://github.com/example\n");
    expect(stderr).toMatch(/^standard input looks like values .*:\n {2}helm template .* \| arc-primer render\n$/s);
  });

  test("a path that is not a readable file gives a readable error", async () => {
    for (const [path, message] of [
      ["/nowhere.yaml", "/nowhere.yaml does not exist"],
      [folder, `${folder} is a directory, not a file`],
    ]) {
      expect(await run(["render", path!])).toEqual({ code: 1, stdout: "", stderr: `arc-primer: ${message}\n` });
    }
  });

  test("an input without pods is not an error", async () => {
    for (const text of ["", "# only a comment\n", "kind: ConfigMap\n"]) {
      expect(await run(["render"], text)).toMatchObject({
        code: 0,
        stdout: text,
        stderr: expect.stringContaining("no pods"),
      });
    }
  });
});

/** Replaces a file atomically, as the kubelet does. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

describe("config check", () => {
  const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";

  test("reports that the configuration is valid, with a summary", async () => {
    const text = `${head}profiles: { default: {}, gpu: {} }\nrules: [{ namespaces: [gpu], profile: gpu }]\n`;
    const good = { code: 0, stdout: "ok: 2 profiles, 1 rule\n", stderr: "" };
    expect(await run(["config", "check", file("good.yaml", text)])).toEqual(good);
    expect(await run(["config", "check", "-"], text)).toEqual(good);
    const audit = await run(["config", "check", "-"], `${head}mode: audit\n`);
    expect(audit).toEqual({
      code: 0,
      stdout: "ok: 1 profile, 0 rules, mode audit, which changes no pod\n",
      stderr: "",
    });
  });

  test("--resolved prints the resolved configuration, which is itself a configuration with the same meaning", async () => {
    const written = readFileSync(golden("profile-annotation", "config.yaml"), "utf8");
    const grace = "profiles:\n  graceful: { docker: { gracefulEnd: { gracePeriod: 600s } } }\n";
    const text = written.replace("profiles:\n", grace);
    const good = await run(["config", "check", "--resolved", file("long.yaml", text)]);
    expect({ code: good.code, stderr: good.stderr }).toEqual({ code: 0, stderr: "" });
    expect(parse(good.stdout)).toMatchObject({
      profiles: {
        gpu: { docker: { wait: { timeout: "5m", interval: "50ms" } } },
        graceful: { docker: { gracefulEnd: { gracePeriod: "10m" } } },
      },
    });
    expect(await run(["config", "check", "--resolved", "-"], good.stdout)).toEqual(good);
  });

  test("reports every problem in the order of the lines, with suggestions", async () => {
    const text = "kind: PrimerConfiguration\nrules: [{ profile: gpuu }]\nmode: x\nprofiles: { gpu: { dockr: {} } }\n";
    const bad = await run(["config", "check", file("bad.yaml", text)]);
    expect({ code: bad.code, stdout: bad.stdout }).toEqual({ code: 1, stdout: "" });
    expect(bad.stderr.replaceAll(`${folder}/`, "")).toBe(`arc-primer: bad.yaml: 4 problems
bad.yaml:1 apiVersion: is missing: expected arc-primer.dev/v1alpha1
bad.yaml:2 rules[0].profile: profile gpuu is not defined; did you mean gpu?
bad.yaml:3 mode: expected one of enforce, audit, not "x"
bad.yaml:4 profiles.gpu.dockr: unknown setting; did you mean docker?
`);
    const input = await run(["config", "check", "-"], text);
    expect(input).toMatchObject({ code: 1, stderr: expect.stringContaining("\nstandard input:3 mode: ") });
  });

  test("prints warnings to stderr, without an error", async () => {
    const proxy = '{ docker: { daemon: { env: { HTTPS_PROXY: "http://a:b@proxy" } } } }';
    const rules = "rules:\n  - { profile: default }\n  - { namespaces: [ci], profile: default }\n";
    const text = `${head}profiles: { default: ${proxy} }\n${rules}`;
    const { code, stdout, stderr } = await run(["config", "check", file("proxy.yaml", text)]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "ok: 1 profile, 2 rules\n" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warning: \S+proxy\.yaml:3 profiles\.default\.docker\.daemon\.env\.HTTPS_PROXY: /);
    expect(lines[1]).toMatch(/^warning: \S+proxy\.yaml:6 rules\[1\]: this rule never matches: rules\[0\] /);
  });

  test("a missing file", async () => {
    expect(await run(["config", "check", "/nowhere.yaml"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("/nowhere.yaml"),
    });
  });
});

describe("config init and config schema", () => {
  test("the initial configuration passes the check", async () => {
    const { code, stdout, stderr } = await run(["config", "init"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await run(["config", "check", "-"], stdout)).toMatchObject({
      stdout: "ok: 1 profile, 0 rules\n",
      stderr: "",
    });
  });

  test("the schema is draft 7, has descriptions, and allows no unknown settings", async () => {
    const { code, stdout, stderr } = await run(["config", "schema"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: "http://json-schema.org/draft-07/schema#",
      additionalProperties: false,
      properties: { mode: { description: expect.stringContaining("`audit`"), default: "enforce" } },
    });
  });
});

describe("the command line", () => {
  test.each([[["--help"]], [["render", "--help"]], [["--version"]]])("%j prints to stdout", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toBe("");
  });

  test.each([
    [[]],
    [["nope"]],
    [["render", "-o", "xml"]],
    [["serve"]],
    [["serve", "--port", "x"]],
    [["config", "check"]],
  ])("%j is invalid: exit code 2, and the error on stderr", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });
});

describe("serve has two ways to get its certificate", () => {
  const files = ["--tls-cert-file=a", "--tls-private-key-file=b"];
  const own = ["--tls-secret=ns/name", "--tls-webhook-configuration=c", "--tls-dns-name=d"];
  test.each([
    ["neither", [], /error: set either --tls-cert-file and .* self-managed certificate\n/],
    ["both", [...files, ...own], /, not both/],
    [
      "incomplete options for a self-managed certificate",
      own.slice(1),
      /must be set together; missing: --tls-secret\n/,
    ],
    ["incomplete options for files", files.slice(1), /must be set together; missing: --tls-cert-file\n/],
    ["no namespace", ["--tls-secret=name"], /expected NAMESPACE\/NAME/],
    ["too short a lifetime", [...own, "--tls-cert-lifetime=1m"], /--tls-cert-lifetime must be at least 72 times/],
    ["a CA with too short a lifetime", [...own, "--tls-ca-lifetime=100d"], /--tls-ca-lifetime must be/],
  ])("%s", async (_, args, message) => {
    const { code, stderr } = await run(["serve", ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });

  test("self-managed with an unreachable API server: it runs, is not ready, and reports the reason", async () => {
    const kubeconfig = file(
      "kubeconfig",
      JSON.stringify({
        clusters: [{ name: "c", cluster: { server: "https://localhost:9" } }],
        users: [{ name: "u", user: {} }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      }),
    );
    const ports = ["--host=localhost", "--port=0", "--ops-port=0"];
    const server = start(["serve", ...own, ...ports, "--shutdown-delay=0s"], "", { KUBECONFIG: kubeconfig });
    const lines = () =>
      server
        .stdout()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const { opsPort } = await vi.waitFor(() => {
      const line = lines().find(({ msg }) => msg === "listening");
      expect(line).toBeDefined();
      return line as { opsPort: number };
    }, 5000);
    await vi.waitFor(async () => {
      expect(await (await fetch(`http://localhost:${opsPort}/readyz`)).text()).toMatch(
        /cannot reach the API server at /,
      );
    }, 5000);
    expect(lines().find(({ level }) => level === "error")).toMatchObject({
      msg: "cannot manage the certificate; no certificate is served yet",
      reason: expect.stringContaining("the MutatingWebhookConfiguration c"),
    });
    expect(await read(`http://localhost:${opsPort}/healthz`)).toBe(200);
    server.child.kill("SIGTERM");
    expect((await server.exit).code).toBe(0);
  });
});

describe("doctor", () => {
  const kubeconfig = (name: string, port: number) => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "sh",
      args: ["-c", `printf '{"status":{"token":"from the plugin"}}'`],
    };
    return file(
      name,
      JSON.stringify({
        clusters: [{ name: "c", cluster: { server: `http://localhost:${port}`, "insecure-skip-tls-verify": true } }],
        users: [{ name: "u", user: { exec } }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      }),
    );
  };

  test("a cluster without arc-primer: reports ✗ with advice, exit code 1, nothing on stderr", async () => {
    const tokens = new Set<string | undefined>();
    const server = createServer(({ url = "", headers }, response) => {
      tokens.add(headers.authorization);
      const kind = url.includes("autoscalingrunnersets") ? undefined : "List";
      response.writeHead(kind ? 200 : 404, { "content-type": "application/json" });
      const version = url === "/version" ? { major: "1", minor: "37", gitVersion: "v1.37.2" } : {};
      response.end(JSON.stringify({ apiVersion: "v1", kind: kind ?? "Status", items: [], ...version }));
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as { port: number };
    const args = ["doctor", "--kubeconfig", kubeconfig("doctor", port)];
    const [text, json] = [await run(args), await run([...args, "-o", "json"])];
    server.close();
    expect(text).toMatchObject({ code: 1, stderr: "" });
    expect(text.stdout).toContain("  ✗ registration/missing: there is no MutatingWebhookConfiguration of arc-primer\n");
    expect(text.stdout).toContain("      What to do: Install the chart (docs/install/helm.md)");
    expect(JSON.parse(json.stdout)).toMatchObject({ context: "x", broken: true, checks: expect.any(Array) });
    expect([...tokens]).toEqual(["Bearer from the plugin"]);
  });

  test("no cluster: exit code 1, and the reason", async () => {
    const [port] = await freePorts(1);
    const unreachable = await run(["doctor", "--kubeconfig", kubeconfig("unreachable", port!)]);
    expect(unreachable).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("cannot be reached: ") });
    const missing = await run(["doctor"], "", { HOME: folder });
    expect(missing.stderr).toBe(
      `arc-primer: found no kubeconfig at ${folder}/.kube/config: specify one with --kubeconfig or the environment variable KUBECONFIG\n`,
    );
  });
});

describe("demo", () => {
  test("uses the stock pod by default, and any other by name or file", async () => {
    const stock = await run(["demo"], "", { FORCE_COLOR: "1" });
    expect(stock.code).toBe(0);
    expect(stock.stdout).toContain("\u001B[32m+    - arc-primer-wait");
    expect(stock.stdout).toMatch(/allowed: true, with a JSON Patch of \d+ operations/);
    const named = await run(["demo", "windows"]);
    expect(named.stdout).not.toContain("\u001B");
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining("left unchanged (windows)") });
    const own = await run(["demo", file("pod.json", JSON.stringify(goldenPod("dind-tls")))]);
    expect(own).toMatchObject({ code: 0, stdout: expect.stringContaining("wait-for-docker: applied") });
    expect(await run(["demo", "nope"])).toMatchObject({ code: 1, stderr: expect.stringContaining("dind-sidecar") });
  });

  test("uses the pod's namespace", async () => {
    const ownPod = goldenPod("dind-sidecar");
    ownPod.metadata.namespace = "ci";
    const rules = "profiles: { none: { enabled: false } }\nrules: [{ namespaces: [ci], profile: none }]\n";
    const config = file("ci.yaml", `apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n${rules}`);
    const { stdout } = await run(["demo", file("ci.json", JSON.stringify(ownPod)), "--config", config]);
    expect(stdout).toContain("Pod ci/linux-x64-7hs5v-runner-k2m9d: left unchanged (profile-disabled)");
    expect(stdout).toContain("no difference: the pod was admitted unchanged");
  });
});

const read = (url: string) =>
  new Promise<number>((resolve, reject) => {
    get(url, (response) => resolve(response.resume().statusCode ?? 0)).once("error", reject);
  });

async function serve(...extra: string[]) {
  const issued = await certificate();
  const [cert, key] = [file("tls.crt", issued.cert), file("tls.key", issued.key)];
  const server = start([
    "serve",
    "--tls-cert-file",
    cert,
    "--tls-private-key-file",
    key,
    "--host",
    "localhost",
    "--port",
    "0",
    "--ops-port",
    "0",
    "--watch-interval",
    "50ms",
    ...extra,
  ]);
  const lines = () =>
    server
      .stdout()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const listening = await vi.waitFor(() => {
    const line = lines().find(({ msg }) => msg === "listening");
    expect(line).toBeDefined();
    return line as { port: number; opsPort: number };
  }, 5000);
  const agent = new Agent({ ca: issued.cert, keepAlive: true });
  const ask = async () =>
    (await post(listening.port, agent, JSON.stringify(admissionReview(goldenPod("dind-sidecar"), "arc-runners")))).text;
  return { server, lines, ask, agent, opsPort: listening.opsPort };
}

describe("serve", () => {
  test("SIGTERM: readiness fails first, reviews are answered during the delay, exit code 0", async () => {
    const { server, ask, agent, opsPort, lines } = await serve("--shutdown-delay", "500ms");
    expect(await read(`http://localhost:${opsPort}/readyz`)).toBe(200);
    expect(await ask()).toContain('"allowed":true');
    server.child.kill("SIGTERM");
    await vi.waitFor(async () => expect(await read(`http://localhost:${opsPort}/readyz`)).toBe(503));
    expect(await ask()).toContain('"allowed":true');
    agent.destroy();
    const { code, stderr } = await server.exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines().at(-1)).toMatchObject({ msg: "stopped" });
  });

  test("two missing certificate files are logged once, in one message", async () => {
    const [cert, key] = [file("gone.crt", ""), file("gone.key", "")];
    for (const path of [cert, key]) rmSync(path);
    const ports = ["--host=localhost", "--port=0", "--ops-port=0", "--shutdown-delay=0s", "--watch-interval=10ms"];
    const server = start(["serve", "--tls-cert-file", cert, "--tls-private-key-file", key, ...ports]);
    await vi.waitFor(() => expect(server.stdout()).toContain('"listening"'), 5000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rejections = server
      .stdout()
      .split("\n")
      .filter((line) => line.includes("invalid certificate rejected"));
    expect(rejections).toHaveLength(1);
    expect(JSON.parse(rejections[0]!)).toMatchObject({ reason: `${cert} does not exist; ${key} does not exist` });
    server.child.kill("SIGINT");
    expect((await server.exit).code).toBe(0);
  });

  test("without --host it listens on all addresses, including IPv6", async () => {
    const [cert, key] = [file("nothing.crt", ""), file("nothing.key", "")];
    const ports = ["--port", "0", "--ops-port", "0", "--shutdown-delay", "0s"];
    const server = start(["serve", "--tls-cert-file", cert, "--tls-private-key-file", key, ...ports]);
    const { opsPort } = await vi.waitFor(() => {
      const line = server
        .stdout()
        .split("\n")
        .find((one) => one.includes('"listening"'));
      return JSON.parse(line!) as { opsPort: number };
    }, 5000);
    const hasIPv6 = Object.values(networkInterfaces())
      .flat()
      .some((one) => one?.address === "::1");
    for (const address of ["127.0.0.1", ...(hasIPv6 ? ["[::1]"] : [])]) {
      expect(await (await fetch(`http://${address}:${opsPort}/healthz`)).text()).toBe("ok\n");
    }
    server.child.kill("SIGINT");
    expect((await server.exit).code).toBe(0);
  });

  test("a changed configuration is used without a restart; an invalid one is rejected with the reason", async () => {
    const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
    const config = file("live.yaml", head);
    const { server, ask, agent, lines } = await serve("--config", config);
    const patch = async () =>
      Buffer.from(
        (JSON.parse(await ask()) as { response: { patch?: string } }).response.patch ?? "",
        "base64",
      ).toString();
    expect(await patch()).toContain("timeout=120");

    replaceFile(config, `${head}profiles: { default: { docker: { wait: { timeout: 33s } } } }\n`);
    await vi.waitFor(async () => expect(await patch()).toContain("timeout=33"), 3000);
    replaceFile(config, `${head}mode: nonsense\n`);
    await vi.waitFor(() => {
      const line = lines().find(
        ({ msg }) => msg === "invalid configuration rejected; the last valid one stays in effect",
      );
      expect(line).toMatchObject({ level: "error", reason: expect.stringContaining("live.yaml:3 mode:") });
    }, 3000);
    expect(await patch()).toContain("timeout=33");
    agent.destroy();
    server.child.kill("SIGINT");
    expect((await server.exit).code).toBe(0);
  });

  test("a package bundle that becomes ready is used for the next pod, but not after the profile has changed", async () => {
    const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";
    const withPackages = (names: string) =>
      `${head}profiles: { default: { prerequisites: { packages: [${names}] } } }\n`;
    const config = file("bundled.yaml", withPackages("curl"));
    const { prerequisites } = parseConfig(withPackages("curl"), "bundled.yaml").profiles["default"]!;
    const index = join(folder, "index");
    mkdirSync(index);
    const { server, ask, agent } = await serve("--config", config, "--bundles", index);
    const patch = async () =>
      Buffer.from((JSON.parse(await ask()) as { response: { patch: string } }).response.patch, "base64").toString();
    expect(await patch()).not.toContain('"bundle=');

    const ready = {
      profile: "default",
      image: containerOf(goldenPod("dind-sidecar"), "runner").image!,
      architecture: "amd64",
      sha256: "ab".repeat(32),
      url: `http://bundles:8081/${"ab".repeat(32)}.tar`,
      settings: settingsDigest(prerequisites),
      built: "2026-11-26T06:00:00.000Z",
      bytes: 1,
      packages: [],
    };
    replaceFile(join(index, "one"), indexEntry(ready));
    await vi.waitFor(async () => expect(await patch()).toContain(bundleWord(ready)), 3000);
    replaceFile(config, withPackages("curl, git"));
    await vi.waitFor(async () => expect(await patch()).toContain("git"), 3000);
    expect(await patch()).not.toContain('"bundle=');
    agent.destroy();
    server.child.kill("SIGINT");
    expect((await server.exit).code).toBe(0);
  });

  test("an invalid configuration at startup, or a port in use, is an error", async () => {
    const bad = file("start.yaml", "kind: Nope\n");
    const tls = ["--tls-cert-file", "/nowhere", "--tls-private-key-file", "/nowhere"];
    const invalid = await run(["serve", "--config", bad, ...tls]);
    expect(invalid).toMatchObject({ code: 1, stderr: expect.stringContaining("start.yaml:1 kind:") });

    const { server, opsPort, agent } = await serve("--shutdown-delay", "0s");
    const portInUse = await run(["serve", ...tls, "--host", "localhost", "--port", "0", "--ops-port", String(opsPort)]);
    expect(portInUse).toMatchObject({ code: 1, stderr: expect.stringContaining("EADDRINUSE") });
    agent.destroy();
    server.child.kill("SIGTERM");
    expect((await server.exit).code).toBe(0);
  });
});
