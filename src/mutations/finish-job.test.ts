import { describe, expect, test } from "vitest";
import { containerOf, goldenPod, runOne } from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import script from "../scripts/finish-job.sh";
import { finishJob } from "./finish-job.ts";

const run = (pod: Pod, settings: object = { gracePeriod: "2h" }, more: object = {}) =>
  runOne(finishJob, pod, { runner: { finishJob: settings, ...more } });
const hook = (seconds: number) => ({
  preStop: { exec: { command: ["/bin/sh", "-c", script, "arc-primer-finish-job", `seconds=${seconds}`] } },
});

test("the runner container gets the hook, the pod the grace period; a native sidecar is left as it is", () => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(containerOf(pod, "runner")).toEqual({ ...containerOf(before, "runner"), lifecycle: hook(7140) });
  expect(pod.spec.terminationGracePeriodSeconds).toBe(7200);
  expect(pod.spec.initContainers).toEqual(before.spec.initContainers);
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test.each(["default-mode", "kubernetes-mode", "no-command"])("pods without Docker get it too: %s", (golden) => {
  const { pod, outcome } = run(goldenPod(golden));
  expect(outcome.result).toBe("applied");
  expect(containerOf(pod, "runner").lifecycle).toEqual(hook(7140));
});

test("a DinD container beside the runner waits for the runner's end", () => {
  const { pod } = run(goldenPod("dind-container"));
  expect(containerOf(pod, "dind").lifecycle?.preStop?.exec?.command).toContain("arc-primer-hold");
  expect(containerOf(pod, "runner").command?.slice(3)).toEqual([
    "arc-primer-hold",
    "file=/arc-primer/hold/runner",
    "--",
    "/home/runner/run.sh",
  ]);
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test("which needs the runner's command: without one nothing is done by halves", () => {
  const before = goldenPod("dind-container");
  delete containerOf(before, "runner").command;
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ reason: "no-command" });
  expect(pod).toBe(before);
  expect(run(before, { gracePeriod: "2h" }, { command: ["/home/runner/run.sh"] }).outcome.result).toBe("applied");
});

test("a hook of DinD's own stays, with a note; postStart of the runner stays beside ours", () => {
  const before = goldenPod("dind-container");
  const own = { preStop: { exec: { command: ["sleep", "60"] } } };
  const postStart = { exec: { command: ["true"] } };
  containerOf(before, "dind").lifecycle = own;
  containerOf(before, "runner").lifecycle = { postStart };
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: ["pre-stop-kept"] });
  expect(containerOf(pod, "dind").lifecycle).toEqual(own);
  expect(containerOf(pod, "runner").lifecycle).toEqual({ postStart, ...hook(7140) });
});

test("a longer grace period of the pod's own stays, and the hook makes use of it", () => {
  const before = goldenPod("default-mode");
  before.spec.terminationGracePeriodSeconds = 36_000;
  const { pod } = run(before, { gracePeriod: "2h", reserve: "10m" });
  expect(pod.spec.terminationGracePeriodSeconds).toBe(36_000);
  expect(containerOf(pod, "runner").lifecycle).toEqual(hook(35_400));
});

describe("the pod is left alone", () => {
  test.each([
    [{}, "not-configured"],
    [{ enabled: false, gracePeriod: "2h" }, "disabled"],
  ])("by a profile with %j", (settings, reason) => {
    expect(run(goldenPod("default-mode"), settings).outcome).toMatchObject({ reason });
  });

  test("where the runner container has a preStop hook of its own", () => {
    const before = goldenPod("default-mode");
    containerOf(before, "runner").lifecycle = { preStop: { exec: { command: ["/drain.sh"] } } };
    const { pod, outcome } = run(before);
    expect(outcome).toMatchObject({ reason: "runner-pre-stop" });
    expect(pod).toBe(before);
  });

  test("where there is no runner container", () => {
    expect(run(goldenPod("default-mode"), { gracePeriod: "2h" }, { container: "other" }).outcome).toMatchObject({
      reason: "no-runner-container",
    });
  });
});
