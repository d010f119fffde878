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

// The bundle as it ships, run as a process against a small API server. `npm test` builds it first.

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
/** A text on one line, as it is before it is broken. */
const unbroken = (text: string) => text.replaceAll(/\s+/g, " ");

describe("a manifest", () => {
  const pod = golden("dind-sidecar", "pod.yaml");

  test("what would be done, with the setting of each", async () => {
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
  ])("%s: Setting: %s", async (name, setting) => {
    const { stdout } = await explain(["-f", golden(name, "pod.yaml"), "--config", golden(name, "config.yaml")]);
    expect(stdout).toContain(`Setting: ${setting}\n`);
  });

  test("a primed pod tells what was done, what it shows of that, and what would be done now", async () => {
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

  test("a status that somebody made up is harmless", async () => {
    const pods = ["{", "7", '{"applied":[]}'].map((status) => withStatus(status));
    const odd = { version: "\u001B[31m", profile: "x", applied: ["toString"], skipped: { a: "constructor" } };
    for (const made of [...pods, withStatus(JSON.stringify(odd))]) {
      const { code, stdout } = await explain(["-f", "-"], JSON.stringify(made));
      expect(code).toBe(0);
      expect(stdout).not.toContain("\u001B");
    }
  });

  test("a malformed pod is told by its field, and no value of it", async () => {
    const made = goldenPod("dind-sidecar");
    Object.assign(made.spec.containers[0]!, { name: ["secret"] });
    const { stdout } = await explain(["-f", "-"], JSON.stringify(made));
    expect(unbroken(stdout)).toContain("The first invalid field is spec.containers[0].name. (malformed-pod)");
    expect(stdout).not.toContain("secret");
  });

  test("as JSON", async () => {
    const { stdout } = await explain(["-f", golden("dind-tls", "pod.yaml"), "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      configuration: "the built-in default (--config names another)",
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
    [["-f", "/nowhere.yaml"], "arc-primer: there is no file /nowhere.yaml\n"],
    [["-f", folder], `arc-primer: ${folder} is a folder; name a file in it\n`],
  ])("%j: in words", async (args, stderr) => {
    expect(await explain(args)).toEqual({ code: 1, stdout: "", stderr });
  });

  test.each([[[]], [["a-pod", "-f", pod]]])("%j is a mistake: exit 2", async (args) => {
    expect(await explain(args)).toMatchObject({ code: 2, stderr: expect.stringContaining("one of the two") });
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

  test("a primed pod, by the configuration of the cluster and by what ARC asked for", async () => {
    objects = everything(primedBy(goldenPod("dind-sidecar"), {}));
    const { code, stdout, stderr } = await inCluster("a");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = unbroken(stdout);
    expect(text).toContain("Configuration: the ConfigMap arc-primer/arc-primer, as the cluster has it now.");
    expect(text).toContain("When the pod was created, arc-primer 1.2.3 primed it");
    expect(text).toContain(
      "A pod that is created now would differ: arc-primer-wait in the container runner would get timeout=33 instead of timeout=120.",
    );
    expect(api.asked.filter((line) => !line.startsWith("GET "))).toEqual([]);
  });

  test("a scale set, by its kind or by its name alone", async () => {
    objects = everything(goldenPod("dind-sidecar"));
    for (const name of ["scale-set/linux-x64", "linux-x64"]) {
      const { code, stdout } = await inCluster(name);
      expect({ name, code }).toEqual({ name, code: 0 });
      expect(unbroken(stdout)).toContain("AutoscalingRunnerSet arc-runners/linux-x64 The profile is default");
      expect(unbroken(stdout)).toContain("What would be done: wait-for-docker");
    }
  });

  test("a pod that was not primed: the namespace, the registration, or the moment", async () => {
    const pod = goldenPod("dind-sidecar");
    Object.assign(pod.metadata, { creationTimestamp: "2026-01-01T00:00:00Z" });
    const born = { ...registration, metadata: { ...registration.metadata, creationTimestamp: "2026-02-02T00:00:00Z" } };
    const reasons = async (changes: Objects) => {
      objects = { ...everything(pod), ...changes };
      return unbroken((await inCluster("pod/a")).stdout);
    };
    expect(await reasons({ [runners]: namespaceWith({}) })).toContain(
      "The namespace arc-runners lacks the label arc-primer.dev/inject: enabled, so the webhook is not asked about its pods. What follows is what it would do. Setting: arc-primer.dev/inject, a label of the namespace",
    );
    expect(await reasons({ [registrations]: listOf("MutatingWebhookConfiguration") })).toContain(
      "The cluster has no MutatingWebhookConfiguration of arc-primer",
    );
    expect(await reasons({ [registrations]: listOf("MutatingWebhookConfiguration", born) })).toContain(
      "it was created (2026-01-01T00:00:00Z) before the webhook was registered (2026-02-02T00:00:00Z)",
    );
    expect(await reasons({})).toContain("the webhook was not asked or did not answer when the pod was created");
    expect(await reasons({ [registrations]: 403, [runners]: 403 })).toContain(
      "Could not be read, and is assumed to be in order: the namespace (refused: ",
    );
  });

  test("what the namespace enforces counts", async () => {
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

  test("the configuration: where it is looked for, and what to do without it", async () => {
    const pod = everything(goldenPod("dind-sidecar"));
    objects = {
      ...pod,
      "/api/v1/configmaps": 403,
      "/api/v1/namespaces/arc-primer/configmaps": listOf("ConfigMap", configMap("")),
    };
    expect((await inCluster("a")).stdout).toContain("the ConfigMap arc-primer/arc-primer, as");

    objects = { ...pod, "/api/v1/configmaps": 403 };
    const forbidden = await inCluster("a");
    expect(forbidden).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be read: refused: /api/v1/configmaps"),
    });
    expect(forbidden.stderr).toContain("With --config FILE it is explained by that file");
    const own = file("own.yaml", "");
    expect((await inCluster("a", "--config", own)).stdout).toContain(`${own} (not read from the cluster)`);

    objects = { ...pod, "/api/v1/configmaps": listOf("ConfigMap", configMap("", "one"), configMap("", "two")) };
    expect((await inCluster("a")).stderr).toContain(
      "several ConfigMaps of the webhook (arc-primer/one, arc-primer/two)",
    );
    objects = { ...objects, "/api/v1/namespaces/arc-primer/configmaps/two": configMap("", "two") };
    expect((await inCluster("a", "--config-map", "arc-primer/two")).stdout).toContain(
      "the ConfigMap arc-primer/two, as",
    );

    objects = { ...pod, "/api/v1/configmaps": listOf("ConfigMap", configMap("mode: nonsense\n")) };
    expect((await inCluster("a")).stderr).toContain("and the last good configuration stays in force");
  });

  test("what is not there: exit 1, and where it was looked for", async () => {
    objects = { ...everything(goldenPod("dind-sidecar")), [`${arc}/autoscalingrunnersets/b`]: 403 };
    const { code, stdout, stderr } = await inCluster("b");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^arc-primer: cannot find b in the namespace arc-runners \(pod: not found: .*; AutoscalingRunnerSet: refused: /,
    );
    expect(stderr).toContain("choose another with -n");
    expect((await inCluster("pod/linux-x64")).code).toBe(1);
    expect((await inCluster("deployment/x")).stderr).toContain("is not NAME, pod/NAME or scale-set/NAME");
  });
});
