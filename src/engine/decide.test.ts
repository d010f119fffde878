import { expect, test } from "vitest";
import { configWith, goldenPod } from "../../test/support/pods.ts";
import { parseConfig } from "../config/load.ts";
import { decide } from "./decide.ts";

const config = configWith({});

test.each([
  ["dind-sidecar", "linux-x64"],
  ["dind-container", "linux-x64"],
  ["default-mode", "linux-x64"],
  ["kubernetes-mode", "linux-x64"],
  ["kubernetes-novolume-mode", "linux-x64"],
])("%s is a runner in scale set %s", (golden, scaleSet) => {
  expect(decide(goldenPod(golden), "arc-runners", config).decision).toMatchObject({ kind: "mutate", scaleSet });
});

test.each([
  ["windows", "windows"],
  ["windows-by-command", "windows"],
  ["workflow-pod", "workflow-pod"],
  ["opted-out", "opted-out"],
  ["legacy-runner", "legacy-runner"],
  ["listener", "not-a-runner"],
])("%s is skipped: %s", (golden, reason) => {
  expect(decide(goldenPod(golden), "arc-runners", config).decision).toMatchObject({ kind: "skip", reason });
});

test.each<[string, object, string | undefined]>([
  ["spec.os", { os: { name: "windows" } }, "windows"],
  ["the node selector", { nodeSelector: { "kubernetes.io/os": "windows" } }, "windows"],
  ["the older node selector", { nodeSelector: { "beta.kubernetes.io/os": "windows" } }, "windows"],
  [
    "the node affinity",
    {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "kubernetes.io/os", operator: "In", values: ["windows"] }] },
            ],
          },
        },
      },
    },
    "windows",
  ],
  ["a Windows build", { nodeSelector: { "node.kubernetes.io/windows-build": "10.0.20348" } }, "windows"],
  ["a toleration", { tolerations: [{ key: "os", operator: "Equal", value: "Windows" }] }, "windows"],
  ["a batch file", { containers: [{ name: "runner", command: ["run.cmd"] }] }, "windows"],
  ["a program", { containers: [{ name: "runner", command: ["Runner.Listener.exe", "run"] }] }, "windows"],
  ["only arguments", { containers: [{ name: "runner", args: ["cmd", "/c", "run"] }] }, "windows"],
  ["a PowerShell script", { containers: [{ name: "runner", command: ["start.ps1"] }] }, "windows"],
  ["PowerShell", { containers: [{ name: "runner", command: ["pwsh", "-c", ".\\run"] }] }, "windows"],
  ["a working directory", { containers: [{ name: "runner", workingDir: "C:\\actions-runner" }] }, "windows"],
  ["a mount", { containers: [{ name: "runner", volumeMounts: [{ name: "w", mountPath: "C:/_work" }] }] }, "windows"],
  [
    "a Linux path in a PowerShell command",
    { containers: [{ name: "runner", command: ["pwsh", "-File", "/home/runner/start.ps1"] }] },
    undefined,
  ],
  [
    "its node selector, regardless of tolerations",
    { nodeSelector: { "kubernetes.io/os": "linux" }, tolerations: [{ key: "os", value: "windows" }] },
    undefined,
  ],
  ["Linux", { os: { name: "linux" }, nodeSelector: { "kubernetes.io/os": "linux" } }, undefined],
])("the operating system is detected by %s", (_how, spec, reason) => {
  const pod = goldenPod("dind-sidecar");
  Object.assign(pod.spec, spec);
  expect(decide(pod, "arc-runners", config).decision).toMatchObject(reason ? { reason } : { kind: "mutate" });
});

test.each<[Record<string, string>, string]>([
  [{ "actions-ephemeral-runner": "True" }, "mutate"],
  [{ "actions-ephemeral-runner": "True", "app.kubernetes.io/component": "my-own" }, "mutate"],
  [{ "actions.github.com/scale-set-name": "x", "app.kubernetes.io/component": "runner" }, "mutate"],
  [{ "app.kubernetes.io/component": "runner" }, "not-a-runner"],
  [
    { "actions.github.com/scale-set-name": "x", "app.kubernetes.io/component": "runner-scale-set-listener" },
    "not-a-runner",
  ],
  [{ "actions-ephemeral-runner": "False" }, "not-a-runner"],
  [{ "actions-ephemeral-runner": "True", "runner-pod": "true" }, "mutate"],
  [{ "actions-runner": "" }, "legacy-runner"],
  [{}, "not-a-runner"],
])("labels %j: %s", (labels, expected) => {
  const pod = goldenPod("dind-sidecar");
  pod.metadata.labels = labels;
  const { decision } = decide(pod, "arc-runners", config);
  expect(decision.reason ?? decision.kind).toBe(expected);
});

test("a pod created by the container hooks is not a runner, even if its template copies ARC's labels", () => {
  const pod = goldenPod("workflow-pod");
  const decided = () => decide(pod, "arc-runners", config).decision;
  expect(decided()).toMatchObject({ reason: "workflow-pod" });
  pod.metadata.ownerReferences = [{ apiVersion: "v1", kind: "EphemeralRunner", name: "x", uid: "x" }];
  expect(decided()).toMatchObject({ kind: "mutate" });
});

test("a pod with only a generateName is also a runner", () => {
  const pod = goldenPod("dind-sidecar");
  delete pod.metadata.name;
  pod.metadata.generateName = "linux-x64-";
  expect(decide(pod, "arc-runners", config).decision.kind).toBe("mutate");
});

test.each<[unknown, string]>([
  [null, "the object"],
  [7, "the object"],
  [[], "the object"],
  [{}, "metadata"],
  [{ metadata: null }, "metadata"],
  [{ metadata: { labels: [] }, spec: {} }, "metadata.labels"],
  [{ metadata: { labels: { secret: 1 } }, spec: {} }, "metadata.labels"],
  [{ metadata: {}, spec: { containers: [1] } }, "spec.containers[0]"],
  [{ metadata: {}, spec: { containers: [{ name: "a" }, { name: 7 }] } }, "spec.containers[1].name"],
])("%j is not a valid pod: %s", (object, field) => {
  expect(decide(object, "arc-runners", config).decision).toEqual({ kind: "skip", reason: "malformed-pod", field });
});

const rules = parseConfig(
  `
apiVersion: arc-primer.dev/v1alpha1
kind: PrimerConfiguration
profiles: { gpu: {}, big: {}, off: { enabled: false } }
rules:
- { namespaces: ["ml-*"], scaleSets: ["gpu-*", "*-a100-*"], profile: gpu, allowedProfiles: [big] }
- { namespaces: ["ml-*", "exact"], profile: big }
- { namespaces: ["quiet"], profile: "off" }
`,
  "rules",
);

test.each<[string, string, string | undefined, string, string?]>([
  ["ml-team", "gpu-1", undefined, "gpu"],
  ["ml-team", "x-a100-y", undefined, "gpu"],
  ["ml-team", "cpu", undefined, "big"],
  ["exact", "cpu", undefined, "big"],
  ["not-exact", "cpu", undefined, "default"],
  ["other", "gpu-1", undefined, "default"],
  ["ml-team", "gpu-", undefined, "gpu"],
  ["ml-team", "-a100-", undefined, "gpu"],
  ["ml-team", "a100-", undefined, "big"],
  ["ml-team", "gpu-1", "big", "big"],
  ["ml-team", "gpu-1", "gpu", "gpu"],
  ["ml-team", "gpu-1", "default", "gpu", "profile-not-allowed"],
  ["ml-team", "gpu-1", "nope", "gpu", "unknown-profile"],
  ["ml-team", "gpu-1", "constructor", "gpu", "unknown-profile"],
  ["other", "gpu-1", "gpu", "default", "profile-not-allowed"],
])("namespace %s, scale set %s, annotation %s: profile %s", (namespace, scaleSet, wanted, name, problem) => {
  const pod = goldenPod("dind-sidecar");
  pod.metadata.namespace = "not-used"; // the namespace of the request decides
  Object.assign(pod.metadata.labels!, { "actions.github.com/scale-set-name": scaleSet });
  if (wanted) Object.assign(pod.metadata.annotations!, { "arc-primer.dev/profile": wanted });
  const decided = decide(pod, namespace, rules);
  expect(decided).toMatchObject({ decision: { kind: "mutate", profile: name }, profile: { name } });
  expect(decided.decision.problem).toBe(problem);
});

test("a disabled profile", () => {
  expect(decide(goldenPod("dind-sidecar"), "quiet", rules).decision).toMatchObject({
    kind: "skip",
    reason: "profile-disabled",
  });
});
