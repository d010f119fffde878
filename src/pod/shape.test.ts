import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import { isPod, misshapenField } from "./shape.ts";

const withContainer = (change: object) => {
  const pod = goldenPod("dind-sidecar");
  Object.assign(pod.spec.initContainers![1]!, change);
  return pod;
};

test.each<[string, object, string]>([
  ["a command that is not a list", { command: "dockerd" }, "command"],
  ["an argument that is a number", { args: [1] }, "args[0]"],
  [
    "a probe's command with a number in it",
    { startupProbe: { exec: { command: ["sh", 1] } } },
    "startupProbe.exec.command[1]",
  ],
  ["a probe's path that is a list", { startupProbe: { httpGet: { path: [] } } }, "startupProbe.httpGet.path"],
  ["a probe's period that is a string", { startupProbe: { periodSeconds: "5" } }, "startupProbe.periodSeconds"],
  [
    "a hook's command that is a map",
    { lifecycle: { preStop: { exec: { command: {} } } } },
    "lifecycle.preStop.exec.command",
  ],
])("a pod with %s is malformed", (_what, change, path) => {
  expect(isPod(withContainer(change))).toBe(false);
  expect(misshapenField(withContainer(change))).toBe(`spec.initContainers[1].${path}`);
});

test("null counts as absent", () => {
  const nothing = { startupProbe: { exec: null, httpGet: null, periodSeconds: null }, lifecycle: { preStop: null } };
  expect(isPod(withContainer(nothing))).toBe(true);
  expect(misshapenField(withContainer(nothing))).toBeUndefined();
});
