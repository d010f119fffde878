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

test("the runner container gets the hook and the pod the grace period; a native sidecar is not changed", () => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(containerOf(pod, "runner")).toEqual({ ...containerOf(before, "runner"), lifecycle: hook(7140) });
  expect(pod.spec.terminationGracePeriodSeconds).toBe(7200);
  expect(pod.spec.initContainers).toEqual(before.spec.initContainers);
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test.each(["default-mode", "kubernetes-mode", "no-command"])("pods without Docker get the hook, too: %s", (golden) => {
  const { pod, outcome } = run(goldenPod(golden));
  expect(outcome.result).toBe("applied");
  expect(containerOf(pod, "runner").lifecycle).toEqual(hook(7140));
});

test("a regular DinD container waits until the runner has stopped", () => {
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

test("a regular DinD container requires the runner's command; without one, nothing is changed", () => {
  const before = goldenPod("dind-container");
  delete containerOf(before, "runner").command;
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ reason: "no-command" });
  expect(pod).toBe(before);
  expect(run(before, { gracePeriod: "2h" }, { command: ["/home/runner/run.sh"] }).outcome.result).toBe("applied");
});

test("an existing preStop hook of DinD is kept, with a note; an existing postStart hook of the runner is kept", () => {
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

test("a longer grace period of the pod is kept, and the hook uses it", () => {
  const before = goldenPod("default-mode");
  before.spec.terminationGracePeriodSeconds = 36_000;
  const { pod } = run(before, { gracePeriod: "2h", reserve: "10m" });
  expect(pod.spec.terminationGracePeriodSeconds).toBe(36_000);
  expect(containerOf(pod, "runner").lifecycle).toEqual(hook(35_400));
});

describe("the pod is not changed", () => {
  test.each([
    [{}, "not-configured"],
    [{ enabled: false, gracePeriod: "2h" }, "disabled"],
  ])("with the settings %j", (settings, reason) => {
    expect(run(goldenPod("default-mode"), settings).outcome).toMatchObject({ reason });
  });

  test("if the runner container already has a preStop hook", () => {
    const before = goldenPod("default-mode");
    containerOf(before, "runner").lifecycle = { preStop: { exec: { command: ["/drain.sh"] } } };
    const { pod, outcome } = run(before);
    expect(outcome).toMatchObject({ reason: "runner-pre-stop" });
    expect(pod).toBe(before);
  });

  test("if there is no runner container", () => {
    expect(run(goldenPod("default-mode"), { gracePeriod: "2h" }, { container: "other" }).outcome).toMatchObject({
      reason: "no-runner-container",
    });
  });
});
