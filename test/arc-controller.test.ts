import { describe, expect, test } from "vitest";
import { ArcController, replay } from "./support/arc-controller.ts";
import type { PodStatus } from "./support/arc-controller.ts";

const runner = (exitCode?: number) => ({
  name: "runner",
  state: exitCode === undefined ? {} : { terminated: { exitCode } },
});
const dind = (exitCode?: number) => ({ ...runner(exitCode), name: "dind" });
const running: PodStatus = { phase: "Running", initContainerStatuses: [dind()], containerStatuses: [runner()] };
const starting: PodStatus = { phase: "Pending", initContainerStatuses: [dind()] };

describe("what ARC does with a pod's status", () => {
  test("a successful run", () => {
    const ended = { ...running, containerStatuses: [runner(0)] };
    expect(replay([{}, starting, running, running, ended, running])).toEqual([
      { does: "wait" },
      { does: "count as running" },
      { does: "delete the runner", because: "it has succeeded" },
    ]);
  });

  test("an outdated runner, in a running or failed pod", () => {
    for (const phase of ["Running", "Failed"]) {
      expect(new ArcController().sees({ phase, containerStatuses: [runner(7)] })).toEqual({
        does: "mark the runner",
        as: "Outdated",
      });
    }
  });

  test("any other exit code: the pod is deleted, with increasing back-off", () => {
    const controller = new ArcController();
    const failed = { phase: "Failed", containerStatuses: [runner(42)] };
    expect(Array.from({ length: 6 }, () => controller.sees(failed))).toEqual([
      ...[5, 10, 20, 40, 80].map((nextAfterSeconds) => ({ does: "delete the pod", nextAfterSeconds })),
      { does: "delete the runner", because: "it failed too often" },
    ]);
  });

  test("with a job, the runner itself is deleted", () => {
    const controller = new ArcController({ hasJob: true });
    expect(controller.sees({ phase: "Failed", containerStatuses: [runner(1)] })).toEqual({
      does: "delete the runner",
      because: "it failed with a job",
    });
  });

  test("a failed native sidecar takes precedence over a runner that is running or has succeeded", () => {
    const deleted = { does: "delete the pod", nextAfterSeconds: 5 };
    for (const code of [undefined, 0]) {
      const status = { phase: "Running", initContainerStatuses: [dind(2)], containerStatuses: [runner(code)] };
      expect(new ArcController().sees(status)).toEqual(deleted);
    }
    expect(new ArcController().sees({ ...running, initContainerStatuses: [dind(0)] })).toEqual({
      does: "count as running",
    });
  });

  test("a failed pod whose runner succeeded is a success, whatever else failed", () => {
    const status = { phase: "Failed", initContainerStatuses: [dind(137)], containerStatuses: [runner(0)] };
    expect(new ArcController().sees(status)).toMatchObject({ because: "it has succeeded" });
  });

  test("a failed pod whose runner never ran is created again", () => {
    for (const containerStatuses of [[], [runner()]]) {
      expect(new ArcController().sees({ phase: "Failed", containerStatuses })).toMatchObject({
        does: "delete the pod",
      });
    }
  });

  test("a runner container that hangs before it starts counts as running", () => {
    const waiting = { name: "runner", state: { waiting: { reason: "CreateContainerConfigError" } } };
    expect(new ArcController().sees({ phase: "Pending", containerStatuses: [waiting] })).toEqual({
      does: "count as running",
    });
  });
});

describe("what ARC does with the response to the creation of a pod", () => {
  const answers = (runnerOf: ConstructorParameters<typeof ArcController>[0], status: number, message = "") =>
    new ArcController(runnerOf).created({ status, message });

  test("if the pod is rejected, the runner is marked as Failed permanently", () => {
    for (const status of [422, 403]) {
      expect(answers({}, status, "denied by a webhook")).toEqual({ does: "mark the runner", as: "Failed" });
    }
  });

  test("if a quota is exceeded, it retries for ten minutes", () => {
    const message = "pods is forbidden: exceeded quota: runners";
    expect(answers({ ageSeconds: 60 }, 403, message)).toEqual({ does: "try again", afterSeconds: 30 });
    expect(answers({ ageSeconds: 601 }, 403, message)).toEqual({ does: "delete the runner", because: "of the quota" });
  });

  test("any other error is retried, such as an unreachable webhook with failurePolicy Fail", () => {
    expect(answers({}, 500)).toEqual({ does: "try again" });
    expect(answers({}, 201)).toEqual({ does: "wait" });
  });
});
