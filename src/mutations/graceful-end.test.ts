import { expect, test } from "vitest";
import { containerOf, goldenPod, runOne } from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import awaitRunner from "../scripts/await-runner.sh";
import { gracefulEnd } from "./graceful-end.ts";

const name = "arc-primer-hold";

const run = (pod: Pod, settings: object = { gracePeriod: "10m" }, more: object = {}) =>
  runOne(gracefulEnd, pod, { docker: { gracefulEnd: settings }, ...more });

test("with a native sidecar, only the grace period is changed", () => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(pod).toEqual({ ...before, spec: { ...before.spec, terminationGracePeriodSeconds: 600 } });
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test("a regular container gets a preStop hook that waits until the runner closes the pipe", () => {
  const before = goldenPod("dind-container");
  containerOf(before, "dind").lifecycle = { postStart: { exec: { command: ["true"] } } };
  const { pod } = run(before);
  const [runner, dind] = [containerOf(pod, "runner"), containerOf(pod, "dind")];
  const file = "/arc-primer/hold/runner";
  expect(dind.lifecycle).toEqual({
    postStart: { exec: { command: ["true"] } },
    preStop: { exec: { command: ["/bin/sh", "-c", awaitRunner, name, file] } },
  });
  expect(runner.command?.slice(3)).toEqual([name, `file=${file}`, "--", "/home/runner/run.sh"]);
  for (const { volumeMounts } of [runner, dind]) {
    expect(volumeMounts?.at(-1)).toEqual({ name, mountPath: "/arc-primer/hold" });
  }
  expect(pod.spec.volumes?.at(-1)).toEqual({ name, emptyDir: {} });
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test.each([
  [undefined, 600],
  [30, 600],
  [600, 600],
  [3600, 3600],
])("a grace period of %s becomes %s: it is never shortened", (was, is) => {
  const pod = goldenPod("dind-container");
  if (was === undefined) delete pod.spec.terminationGracePeriodSeconds;
  else pod.spec.terminationGracePeriodSeconds = was;
  expect(run(pod).pod.spec.terminationGracePeriodSeconds).toBe(is);
});

test("an existing preStop hook is kept", () => {
  const before = goldenPod("dind-container");
  const own = { preStop: { exec: { command: ["sleep", "60"] } } };
  containerOf(before, "dind").lifecycle = own;
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: ["pre-stop-kept"] });
  expect(containerOf(pod, "dind").lifecycle).toEqual(own);
  expect(containerOf(pod, "runner")).toEqual(containerOf(before, "runner"));
});

test.each<[string, object, string]>([
  ["dind-container", {}, "not-configured"],
  ["dind-container", { enabled: false, gracePeriod: "10m" }, "disabled"],
  ["default-mode", { gracePeriod: "10m" }, "no-dind"],
  ["no-command", { gracePeriod: "10m" }, "applied"],
])("%s with %j: %s", (golden, settings, want) => {
  const { outcome } = run(goldenPod(golden), settings);
  expect(outcome.result === "applied" ? "applied" : outcome.reason).toBe(want);
});

test("a regular DinD container and a runner without a command: nothing is changed", () => {
  const pod = goldenPod("dind-container");
  delete containerOf(pod, "runner").command;
  const result = run(pod);
  expect(result.outcome).toMatchObject({ reason: "no-command" });
  expect(result.pod).toBe(pod);
});

test("every DinD container gets the hook, except those that already have one", () => {
  const pod = goldenPod("dind-container");
  const preStop = { exec: { command: ["true"] } };
  pod.spec.containers.push(
    { name: "second", image: "docker:dind" },
    { name: "own", image: "docker:dind", lifecycle: { preStop } },
  );
  const { pod: after, outcome } = run(pod, { gracePeriod: "10m" });
  expect(outcome).toMatchObject({ result: "applied", notes: ["pre-stop-kept"] });
  const withHook = after.spec.containers.filter(({ lifecycle }) =>
    lifecycle?.preStop?.exec?.command?.includes("arc-primer-hold"),
  );
  expect(withHook.map((one) => one.name)).toEqual(["dind", "second"]);
});
