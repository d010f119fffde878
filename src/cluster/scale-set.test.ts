import { describe, expect, test } from "vitest";
import { defaultConfig } from "../config/load.ts";
import { createPrime } from "../engine/prime.ts";
import { identify } from "../engine/identify.ts";
import { mutations } from "../mutations/index.ts";
import { goldenPod } from "../../test/support/pods.ts";
import { arcPath, podOfScaleSet } from "./scale-set.ts";

const template = {
  metadata: { labels: { team: "ci", "actions-ephemeral-runner": "False" }, annotations: { note: "template" } },
  spec: goldenPod("dind-sidecar").spec,
};
const metadata = {
  name: "linux",
  namespace: "arc-runners",
  labels: { "app.kubernetes.io/version": "0.14.2", "app.kubernetes.io/component": "autoscaling-runner-set" },
  annotations: { "actions.github.com/runner-group-name": "Default", "actions.github.com/values-hash": "x" },
};
const runnerSet = { kind: "AutoscalingRunnerSet", metadata, spec: { template } };

describe("the pod of an AutoscalingRunnerSet", () => {
  const pod = podOfScaleSet(runnerSet)!;

  test("has ARC's labels; the template overrides all of them but one", () => {
    expect(pod.metadata).toMatchObject({ name: "linux-runner-xxxxx", namespace: "arc-runners" });
    expect(pod.metadata.labels).toEqual({
      "app.kubernetes.io/version": "0.14.2",
      "app.kubernetes.io/part-of": "gha-runner-scale-set",
      "app.kubernetes.io/component": "runner",
      "actions.github.com/scale-set-name": "linux",
      "actions.github.com/scale-set-namespace": "arc-runners",
      "actions-ephemeral-runner": "True",
      team: "ci",
    });
  });

  test("has the template's annotations, and those of the set that ARC copies", () => {
    expect(pod.metadata.annotations).toEqual({
      "actions.github.com/runner-group-name": "Default",
      "actions.github.com/patch-id": "0",
      note: "template",
    });
  });

  test("has ARC's variables only in the container runner", () => {
    const names = (container: string) =>
      [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
        .find(({ name }) => name === container)
        ?.env?.map(({ name }) => name);
    expect(names("runner")).toContain("ACTIONS_RUNNER_INPUT_JITCONFIG");
    expect(names("dind")).toEqual(["DOCKER_GROUP_GID"]);
  });

  test("is identified as a runner of the scale set, and is primed", () => {
    expect(identify(pod)).toEqual({ kind: "runner", scaleSet: "linux" });
    const prime = createPrime({ mutations, version: "0.0.0" });
    const primed = prime(pod, { namespace: "arc-runners", podSecurity: "privileged", config: defaultConfig });
    expect(primed.decision.kind).toBe("mutate");
  });
});

test("an EphemeralRunnerSet and an EphemeralRunner give the same pod spec", () => {
  const spec = { ephemeralRunnerSpec: { metadata: template.metadata, spec: template.spec } };
  const ofSet = podOfScaleSet({ kind: "EphemeralRunnerSet", metadata, spec }, "abcde")!;
  const ofRunner = podOfScaleSet({
    kind: "EphemeralRunner",
    metadata: { ...metadata, name: "linux-runner-abcde" },
    spec: template,
  })!;
  expect(ofSet.spec).toEqual(podOfScaleSet(runnerSet, "abcde")!.spec);
  expect(ofRunner.spec).toEqual(ofSet.spec);
  expect(ofSet.metadata.labels?.["app.kubernetes.io/component"]).toBe("runner");
});

test("the proxy variables come from the Secret that ARC creates", () => {
  const proxy = { https: { url: "http://proxy.example.com:3128" }, noProxy: ["example.com"] };
  const pod = podOfScaleSet({ ...runnerSet, spec: { template, proxy } })!;
  const names = pod.spec.containers[0]!.env!.map(({ name }) => name);
  expect(names.filter((name) => name.endsWith("_proxy"))).toEqual(["https_proxy", "no_proxy"]);
});

test("an object of another kind, or without a template, has no pod", () => {
  expect(podOfScaleSet({ kind: "Deployment", metadata, spec: { template } })).toBeUndefined();
  expect(podOfScaleSet({ kind: "AutoscalingRunnerSet", metadata, spec: {} })).toBeUndefined();
  expect(podOfScaleSet({ kind: "AutoscalingRunnerSet", metadata })).toBeUndefined();
});

test("the path of a collection in a namespace", () => {
  expect(arcPath("EphemeralRunnerSet", "ci")).toBe(
    "/apis/actions.github.com/v1alpha1/namespaces/ci/ephemeralrunnersets",
  );
});
