import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import { isPod } from "./shape.ts";

const withContainer = (change: object) => {
  const pod = goldenPod("dind-sidecar");
  Object.assign(pod.spec.initContainers![1]!, change);
  return pod;
};

test.each<[string, object]>([
  ["a command that is no list", { command: "dockerd" }],
  ["a word that is a number", { args: [1] }],
  ["a probe's command with a number in it", { startupProbe: { exec: { command: ["sh", 1] } } }],
  ["a probe's path that is a list", { startupProbe: { httpGet: { path: [] } } }],
  ["a probe's period that is a text", { startupProbe: { periodSeconds: "5" } }],
  ["a hook's command that is a map", { lifecycle: { preStop: { exec: { command: {} } } } }],
])("%s makes a malformed pod", (_what, change) => {
  expect(isPod(withContainer(change))).toBe(false);
});

test("null counts as absent", () => {
  const nothing = { startupProbe: { exec: null, httpGet: null, periodSeconds: null }, lifecycle: { preStop: null } };
  expect(isPod(withContainer(nothing))).toBe(true);
});
