import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createPrime } from "../src/engine/prime.ts";
import { mutations } from "../src/mutations/index.ts";
import type { Pod } from "../src/pod/types.ts";
import { fakeApi, listOf } from "./support/fake-api.ts";
import type { Objects } from "./support/fake-api.ts";
import { configWith, goldenPod, mirrors } from "./support/pods.ts";

// Runs the built bundle as a process against a minimal API server. `npm test` builds it first.

const bundle = fileURLToPath(new URL("../dist/arc-primer.mjs", import.meta.url));
const golden = (name: string, part: string) => fileURLToPath(new URL(`golden/${name}/${part}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "arc-primer-explain-"));
let objects: Objects = {};
let api: Awaited<ReturnType<typeof fakeApi>>;

beforeAll(async () => {
  api = await fakeApi(() => objects);
});
afterEach(() => {
  objects = {};
});
afterAll(() => {
  api.stop();
  rmSync(folder, { recursive: true });
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function explain(args: readonly string[], stdin = ""): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [bundle, "explain", ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(stdin);
  });
}

const inCluster = async (...args: string[]) => explain([...args, "--kubeconfig", api.kubeconfig]);
/** Undoes the line breaks of a text. */
const unbroken = (text: string) => text.replaceAll(/\s+/g, " ");

describe("a manifest", () => {
  const pod = golden("dind-sidecar", "pod.yaml");

  test("shows what would be done, with the setting for each mutation", async () => {
    const { code, stdout, stderr } = await explain(["-f", pod, "--config", golden("dind-sidecar", "config.yaml")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = unbroken(stdout);
    expect(text).toContain(
      "Pod arc-runners/linux-x64-7hs5v-runner-k2m9d The profile is default, because no rule matches",
    );
    expect(text).toContain(
      "wait-for-docker The runner starts as soon as Docker is available, and not before. Setting: profiles.default.docker.wait.enabled (true)",
    );
    expect(text).toContain("(startup-probe-removed) Setting: profiles.default.docker.wait.keepStartupProbe (false)");
    expect(text).toContain(
      "Not configured in the profile default, each with its setting: inject-docker (docker.inject), ",
    );
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test.each([
    ["opted-out", "annotation arc-primer.dev/skip, in the pod or its template"],
    ["switched-off", "profiles.default.docker.wait.enabled (false)"],
    ["profile-not-allowed", "rules[].allowedProfiles"],
    ["profile-annotation", "annotation arc-primer.dev/profile, in the pod or its template"],
    ["registries-old-docker", "image of the DinD container, in the pod or its template"],
    ["audit-mode", "mode"],
  ])("test/golden/%s: names the setting %s", async (name, setting) => {
    const { stdout } = await explain(["-f", golden(name, "pod.yaml"), "--config", golden(name, "config.yaml")]);
    expect(stdout).toContain(`Setting: ${setting}\n`);
  });

  test("a primed pod: shows what was done, the evidence for it in the pod, and what would be done now", async () => {
    const same = golden("dind-sidecar", "config.yaml");
    const primed = await primedFile("dind-sidecar", { ...mirrors, docker: { wait: { timeout: "77s" } } });
    const text = unbroken((await explain(["-f", primed, "--config", same])).stdout);
    expect(text).toContain(
      "When the pod was created, arc-primer 1.2.3 primed it with the profile default, according to its annotation",
    );
    expect(text).toContain("What was done: wait-for-docker The runner starts");
    expect(text).toContain("container runner: arc-primer-wait timeout=77 interval=0.05 exit-code=42 on-timeout=fail");
    expect(text).toContain("A pod that is created now would be primed in the same way.");
    const off = file("off.yaml", `profiles: { default: { docker: { wait: { enabled: false } } } }`);
    const later = unbroken((await explain(["-f", primed, "--config", off])).stdout);
    expect(later).toContain(
      "wait-for-docker would not be applied. The profile disables this mutation (enabled: false). (disabled)",
    );
    expect(later).toContain("Setting: profiles.default.docker.wait.enabled (false)");
  });

  test("a status with invented content is harmless", async () => {
    const pods = ["{", "7", '{"applied":[]}'].map((status) => withStatus(status));
    const odd = { version: "\u001B[31m", profile: "x", applied: ["toString"], skipped: { a: "constructor" } };
    for (const forged of [...pods, withStatus(JSON.stringify(odd))]) {
      const { code, stdout } = await explain(["-f", "-"], JSON.stringify(forged));
      expect(code).toBe(0);
      expect(stdout).not.toContain("\u001B");
    }
  });

  test("a malformed pod: the message names the field, but not its value", async () => {
    const made = goldenPod("dind-sidecar");
    Object.assign(made.spec.containers[0]!, { name: ["secret"] });
    const { stdout } = await explain(["-f", "-"], JSON.stringify(made));
    expect(unbroken(stdout)).toContain("The first invalid field is spec.containers[0].name. (malformed-pod)");
    expect(stdout).not.toContain("secret");
  });

  test("prints JSON", async () => {
    const { stdout } = await explain(["-f", golden("dind-tls", "pod.yaml"), "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      configuration: "the built-in default (use --config for another)",
      explanations: [
        {
          subject: expect.stringContaining("Pod arc-runners/"),
          now: {
            profile: "default",
            applied: [{ mutation: "wait-for-docker", said: [{ setting: { where: "profile" } }] }],
          },
        },
      ],
    });
  });

  test("ARC's values are recognized", async () => {
    const values = file(
      "values.yaml",
      "githubConfigUrl: https://github.com/example\ncontainerMode: { type: dind }\n",
      "",
    );
    const { code, stdout, stderr } = await explain(["-f", values]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`${values} looks like values of ARC's chart gha-runner-scale-set`);
    expect(stderr).toContain(`gha-runner-scale-set -f ${values} | arc-primer render`);
  });

  test.each([
    [["-f", "/nowhere.yaml"], "arc-primer: /nowhere.yaml does not exist\n"],
    [["-f", folder], `arc-primer: ${folder} is a directory, not a file\n`],
  ])("%j: a clear error message", async (args, stderr) => {
    expect(await explain(args)).toEqual({ code: 1, stdout: "", stderr });
  });

  test.each([[[]], [["a-pod", "-f", pod]]])("%j is a usage error: exit code 2", async (args) => {
    expect(await explain(args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("specify either a pod or scale set, or a manifest with -f"),
    });
  });
});

const head = "apiVersion: arc-primer.dev/v1alpha1\nkind: PrimerConfiguration\n";

function file(name: string, text: string, start = head): string {
  const path = join(folder, name);
  writeFileSync(path, start + text);
  return path;
}

function withStatus(status: string): Pod {
  const pod = goldenPod("dind-sidecar");
  Object.assign(pod.metadata.annotations!, { "arc-primer.dev/status": status });
  return pod;
}

function primedBy(pod: Pod, profile: object): Pod {
  const prime = createPrime({ mutations, version: "1.2.3" });
  const context = { namespace: "arc-runners", podSecurity: "privileged" as const, config: configWith(profile) };
  return prime(pod, context).pod as Pod;
}

async function primedFile(name: string, profile: object): Promise<string> {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(primedBy(goldenPod(name), profile)));
  return path;
}

describe("in a cluster", () => {
  const arc = "/apis/actions.github.com/v1alpha1/namespaces/arc-runners";
  const runners = "/api/v1/namespaces/arc-runners";
  const registrations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
  const { kind: _, ...registration } = parse(
    readFileSync(new URL("cluster/manifests/registration.yaml", import.meta.url), "utf8"),
  ) as { kind: string; metadata: object };
  const configMap = (data: string, name = "arc-primer") => ({
    metadata: { name, namespace: "arc-primer" },
    data: { "config.yaml": head + data },
  });
  const namespaceWith = (labels: object) => ({ metadata: { name: "arc-runners", labels } });
  const runner = { metadata: goldenPod("dind-sidecar").metadata, spec: goldenPod("dind-sidecar").spec };
  const ephemeralRunner = {
    metadata: { name: "a", namespace: "arc-runners", labels: runner.metadata.labels },
    spec: { metadata: {}, spec: runner.spec },
  };
  const scaleSet = {
    metadata: { name: "linux-x64", namespace: "arc-runners" },
    spec: { template: { spec: runner.spec } },
  };
  const everything = (pod: Pod): Objects => ({
    [`${runners}/pods/a`]: { ...pod, metadata: { ...pod.metadata, name: "a" } },
    [`${arc}/ephemeralrunners/a`]: ephemeralRunner,
    [`${arc}/autoscalingrunnersets/linux-x64`]: scaleSet,
    [runners]: namespaceWith({ "arc-primer.dev/inject": "enabled" }),
    [registrations]: listOf("MutatingWebhookConfiguration", registration),
    "/api/v1/configmaps": listOf(
      "ConfigMap",
      configMap("profiles: { default: { docker: { wait: { timeout: 33s } } } }\n"),
    ),
  });

  test("a primed pod: compares it with the configuration of the cluster and the pod that ARC requested", async () => {
    objects = everything(primedBy(goldenPod("dind-sidecar"), {}));
    const { code, stdout, stderr } = await inCluster("a");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = unbroken(stdout);
    expect(text).toContain("Configuration: the current ConfigMap arc-primer/arc-primer of the cluster.");
    expect(text).toContain("When the pod was created, arc-primer 1.2.3 primed it");
    expect(text).toContain(
      "A pod that is created now would differ: arc-primer-wait in the container runner would get timeout=33 instead of timeout=120.",
    );
    expect(api.requests.filter((line) => !line.startsWith("GET "))).toEqual([]);
  });

  test("a scale set, given by kind and name or only by name", async () => {
    objects = everything(goldenPod("dind-sidecar"));
    for (const name of ["scale-set/linux-x64", "linux-x64"]) {
      const { code, stdout } = await inCluster(name);
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(unbroken(stdout)).toContain("AutoscalingRunnerSet arc-runners/linux-x64 The profile is default");
      expect(unbroken(stdout)).toContain("What would be done: wait-for-docker");
    }
  });

  test("a pod that was not primed: the reason is the namespace, the webhook configuration, or the time of creation", async () => {
    const pod = goldenPod("dind-sidecar");
    Object.assign(pod.metadata, { creationTimestamp: "2026-01-01T00:00:00Z" });
    const born = { ...registration, metadata: { ...registration.metadata, creationTimestamp: "2026-02-02T00:00:00Z" } };
    const reasons = async (changes: Objects) => {
      objects = { ...everything(pod), ...changes };
      return unbroken((await inCluster("pod/a")).stdout);
    };
    expect(await reasons({ [runners]: namespaceWith({}) })).toContain(
      "The namespace arc-runners lacks the label arc-primer.dev/inject: enabled, so the API server does not call the webhook for its pods. The rest of this text describes what the webhook would do. Setting: arc-primer.dev/inject, a label of the namespace",
    );
    expect(await reasons({ [registrations]: listOf("MutatingWebhookConfiguration") })).toContain(
      "The cluster has no MutatingWebhookConfiguration of arc-primer",
    );
    expect(await reasons({ [registrations]: listOf("MutatingWebhookConfiguration", born) })).toContain(
      "it was created (2026-01-01T00:00:00Z) before the webhook configuration (2026-02-02T00:00:00Z)",
    );
    expect(await reasons({})).toContain(
      "the API server did not call the webhook or received no response when the pod was created",
    );
    expect(await reasons({ [registrations]: 403, [runners]: 403 })).toContain(
      "The following could not be read and is assumed to be correct: the namespace (refused: ",
    );
  });

  test("the Pod Security level of the namespace is taken into account", async () => {
    const restricted = { "arc-primer.dev/inject": "enabled", "pod-security.kubernetes.io/enforce": "restricted" };
    const packages = configMap("profiles: { default: { prerequisites: { packages: [jq] } } }\n");
    objects = {
      ...everything(goldenPod("dind-sidecar")),
      [runners]: namespaceWith(restricted),
      "/api/v1/configmaps": listOf("ConfigMap", packages),
    };
    expect((await inCluster("linux-x64")).stdout).toContain(
      "Setting: pod-security.kubernetes.io/enforce, a label of the namespace",
    );
  });

  test("the configuration: where it is searched for, and what to do if it cannot be found", async () => {
    const pod = everything(goldenPod("dind-sidecar"));
    objects = {
      ...pod,
      "/api/v1/configmaps": 403,
      "/api/v1/namespaces/arc-primer/configmaps": listOf("ConfigMap", configMap("")),
    };
    expect((await inCluster("a")).stdout).toContain("the current ConfigMap arc-primer/arc-primer of the cluster");

    objects = { ...pod, "/api/v1/configmaps": 403 };
    const forbidden = await inCluster("a");
    expect(forbidden).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be read: refused: /api/v1/configmaps"),
    });
    expect(forbidden.stderr).toContain("Use --config FILE to explain with a local configuration");
    const own = file("own.yaml", "");
    expect((await inCluster("a", "--config", own)).stdout).toContain(`${own} (not read from the cluster)`);

    objects = { ...pod, "/api/v1/configmaps": listOf("ConfigMap", configMap("", "one"), configMap("", "two")) };
    expect((await inCluster("a")).stderr).toContain(
      "several ConfigMaps of the webhook (arc-primer/one, arc-primer/two)",
    );
    objects = { ...objects, "/api/v1/namespaces/arc-primer/configmaps/two": configMap("", "two") };
    expect((await inCluster("a", "--config-map", "arc-primer/two")).stdout).toContain(
      "the current ConfigMap arc-primer/two of the cluster",
    );

    objects = { ...pod, "/api/v1/configmaps": listOf("ConfigMap", configMap("mode: nonsense\n")) };
    expect((await inCluster("a")).stderr).toContain("and keeps the last valid configuration: ");
  });

  test("an object that does not exist: exit code 1, and where it was searched for", async () => {
    objects = { ...everything(goldenPod("dind-sidecar")), [`${arc}/autoscalingrunnersets/b`]: 403 };
    const { code, stdout, stderr } = await inCluster("b");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^arc-primer: cannot find b in the namespace arc-runners \(pod: not found: .*; AutoscalingRunnerSet: refused: /,
    );
    expect(stderr).toContain("choose another namespace with -n");
    expect((await inCluster("pod/linux-x64")).code).toBe(1);
    expect((await inCluster("deployment/x")).stderr).toContain("is not NAME, pod/NAME or scale-set/NAME");
  });
});
