import { afterAll, beforeAll, expect, test } from "vitest";
import { statusAnnotation } from "../../src/report/status.ts";
import { create, createNamespace, get, logs, until } from "./support/kube.ts";
import { packageSource } from "./support/packages.ts";
import type { PackageSource } from "./support/packages.ts";
import { containerNamed, ended, runnerPod as stockPod, slimImage } from "./support/runner-pod.ts";
import type { RunnerPod } from "./support/runner-pod.ts";
import { installWebhook, pullImages, refuseIfInstalled, servingCertificate, uninstall } from "./support/stack.ts";

// Packages in real runner pods, with real apt, a real kubelet, and sudo in the runner container.

const installer = "arc-primer-prerequisites";
// The packages that the image lacks. GitHub's own image has curl, git and jq. The slim image of `bare` lacks them, and also
// lacks the directories for manual pages and package sources.
const isSlim = process.env["CLUSTER_PROVIDER"] === "bare";
const lacking = isSlim ? ["curl", "git", "jq"] : ["tree", "pv", "hello"];
const [first = "", second = "", third = ""] = lacking;
const works = (...programs: string[]) => programs.map((program) => `${program} --version | head -n 1`).join("\n");

let source: PackageSource;
let installing = false;

beforeAll(async () => {
  await refuseIfInstalled();
  installing = true;
  await pullImages();
  source = await packageSource(...lacking);
  const { apt } = source;
  const profile = (packages: string[], more: object = {}) => ({ prerequisites: { packages, apt, ...more } });
  const configuration = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    profiles: {
      default: profile([first, second]),
      other: profile([third]),
      nothing: profile(["bash", "sudo"]),
      warn: profile([first, "no-such-package"]),
      fail: profile(["no-such-package"], { onFailure: "fail" }),
    },
    rules: [{ profile: "default", allowedProfiles: ["other", "nothing", "warn", "fail"] }],
  };
  await installWebhook(JSON.stringify(configuration), await servingCertificate());
  await createNamespace("packages");
}, 900_000);
afterAll(async () => {
  if (!installing) return;
  source.close();
  await uninstall();
});

/** A runner pod of the image that lacks the packages. */
const runnerPod: typeof stockPod = async (name, where, job, options = {}) =>
  stockPod(name, where, job, {
    ...options,
    change(pod) {
      if (isSlim) containerNamed(pod, "runner").image = slimImage;
      options.change?.(pod);
    },
  });

const profile = (name: string) => (pod: RunnerPod) => {
  pod.metadata.annotations = { ...pod.metadata.annotations, "arc-primer.dev/profile": name };
};
const status = (pod: RunnerPod) => pod.metadata.annotations?.[statusAnnotation];
const installLog = async ({ metadata }: RunnerPod) => logs(metadata.namespace ?? "", metadata.name, installer);

test("packages that the image lacks are available on the first line of run.sh, in a stock DinD pod", async () => {
  const unprimed = await runnerPod("unprimed", "packages", `command -v ${first} ${second} || echo missing`, {
    change: (pod) => (pod.metadata.annotations = { "arc-primer.dev/skip": "true" }),
  });
  const pod = await runnerPod("packages", "packages", `${works(first, second)}\ndocker version --format docker`);
  expect(status(pod)).toContain('"prerequisites"');
  const { exitCode, log } = await ended(pod);
  const prepared = await installLog(pod);
  process.stderr.write(
    `${prepared
      .split("\n")
      .filter((line) => line.startsWith("arc-primer"))
      .join("\n")}\n${log}`,
  );
  expect(log).toMatch(new RegExp(`packages installed in \\d+\\.\\d\\d s\\n[^]*${first} [^]*${second} [^]*docker\\n$`));
  expect(exitCode).toBe(0);
  expect(prepared).toMatch(
    /apt-get update took .* s, apt-get install .* s\n[^]*captured \d+ entries, \d+ KiB, in .* s\n/,
  );
  expect((await ended(unprimed)).log).toBe("missing\n");
});

test("a pod with another profile gets other packages", async () => {
  const pod = await runnerPod("other", "packages", `${works(third)}\ncommand -v ${first} || echo no ${first}`, {
    layout: "default-mode",
    change: profile("other"),
  });
  const { exitCode, log } = await ended(pod);
  expect(log).toMatch(new RegExp(`packages installed in [^]*${third}.*\\nno ${first}\\n$`));
  expect(exitCode).toBe(0);
});

test("if no package is missing, apt sends no requests", async () => {
  const before = source.requests.length;
  const pod = await runnerPod("nothing", "packages", "echo run.sh", {
    layout: "default-mode",
    change: profile("nothing"),
  });
  expect((await ended(pod)).log).toBe("run.sh\n");
  expect(await installLog(pod)).toMatch(/all packages are already installed; checked in \d+\.\d\d s\n$/);
  expect(source.requests.length).toBe(before);
});

test("an unknown package with onFailure: warn: the job starts, and both logs show apt's error and what is missing", async () => {
  const pod = await runnerPod("warn", "packages", works(first), { layout: "default-mode", change: profile("warn") });
  const { exitCode, log } = await ended(pod);
  expect(log).toContain("these packages could not be installed: no-such-package");
  expect(log).toContain("E: Unable to locate package no-such-package");
  expect(log).toMatch(new RegExp(`\\n${first} .*\\n$`));
  expect(exitCode).toBe(0);
  expect(await installLog(pod)).toContain("E: Unable to locate package no-such-package");
});

test("an unknown package with onFailure: fail: run.sh is never started, and the pod's status shows why", async () => {
  const pod = await runnerPod("fail", "packages", "echo started", { layout: "default-mode", change: profile("fail") });
  const terminated = await until("the exit of the init container", 60, async () => {
    const { status: now } = await get<RunnerPod>("Pod", "packages", "fail");
    const containers = now?.initContainerStatuses as
      { name: string; state: { terminated?: { exitCode: number; message: string } } }[] | undefined;
    return containers?.find(({ name }) => name === installer)?.state.terminated;
  });
  expect(terminated).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining("E: Unable to locate package no-such-package"),
  });
  const end = await until("the pod's failure", 30, async () => {
    const { status: now } = await get<RunnerPod>("Pod", "packages", pod.metadata.name);
    return now?.phase === "Failed" ? now : undefined;
  });
  expect(JSON.stringify(end.containerStatuses)).not.toContain("startedAt");
});

test("a pod with runAsNonRoot, runAsUser, fsGroup and imagePullSecrets", async () => {
  const pod = await runnerPod("non-root", "packages", `id -u\n${works(first)}`, {
    layout: "default-mode",
    change: ({ spec }) =>
      Object.assign(spec, {
        securityContext: { runAsNonRoot: true, runAsUser: 1001, runAsGroup: 1001, fsGroup: 123 },
        imagePullSecrets: [{ name: "registry" }],
      }),
  });
  const { exitCode, log } = await ended(pod);
  expect(log).toMatch(new RegExp(`packages installed in [^]*1001\\n${first} .*\\n$`));
  expect(exitCode).toBe(0);
});

test("a namespace with a LimitRange and a quota on limits", async () => {
  const namespace = await createNamespace("packages-quota");
  const container = {
    type: "Container",
    default: { cpu: "1", memory: "1Gi" },
    defaultRequest: { cpu: "100m", memory: "128Mi" },
  };
  await create({
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "defaults", namespace },
    spec: { limits: [container] },
  });
  const hard = { "limits.cpu": "8", "limits.memory": "16Gi", "requests.memory": "4Gi" };
  await create({ apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "limits", namespace }, spec: { hard } });
  const pod = await runnerPod("quota", namespace, works(first), { layout: "default-mode" });
  expect(containerNamed(pod, installer).resources).toEqual(containerNamed(pod, "runner").resources);
  expect((await ended(pod)).log).toMatch(new RegExp(`packages installed in [^]*${first} .*\\n$`));
});

test("in a namespace with Pod Security restricted, the pod is created and starts without the packages", async () => {
  const namespace = await createNamespace("packages-restricted", {
    "arc-primer.dev/inject": "enabled",
    "pod-security.kubernetes.io/enforce": "restricted",
  });
  const pod = await runnerPod("restricted", namespace, `command -v ${first} || echo missing`, {
    layout: "default-mode",
    change(changed) {
      containerNamed(changed, "runner").securityContext = {
        allowPrivilegeEscalation: false,
        runAsNonRoot: true,
        runAsUser: 1001,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      };
    },
  });
  expect(status(pod)).toContain('"prerequisites":"pod-security"');
  expect(await ended(pod)).toMatchObject({ exitCode: 0, log: "missing\n" });
});

test("apt in the init container uses ARC's proxy", async () => {
  const pod = await runnerPod("proxy", "packages", "echo run.sh", {
    layout: "default-mode",
    change(changed) {
      const { env } = containerNamed(changed, "runner");
      env?.push({ name: "http_proxy", value: "http://127.0.0.1:9" });
    },
  });
  const { log } = await ended(pod);
  expect(await installLog(pod)).toContain("127.0.0.1:9");
  expect(log).toMatch(/could not be installed[^]*run\.sh\n$/);
});
