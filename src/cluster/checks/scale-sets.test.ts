import { describe, expect, test } from "vitest";
import {
  changedResponse,
  configText,
  configuration,
  configurationWith,
  created,
  dryRun,
  forbidden,
  inject,
  marksOf,
  now,
  readings,
  testCheck,
  textOf,
} from "../../../test/support/readings.ts";
import { statusAnnotation } from "../../report/status.ts";
import type { PodObject } from "../objects.ts";
import type { Reference } from "../readings.ts";
import { dryRuns } from "./dry-runs.ts";
import { namespaces, podSecurity, scaleSets } from "./namespaces.ts";
import { profiles } from "./profiles.ts";
import { references } from "./references.ts";
import { runnerPods } from "./runner-pods.ts";

const space = (name: string, labels: Record<string, string> = {}) => ({ metadata: { name, labels } });
const set = (namespace: string) => ({ kind: "AutoscalingRunnerSet", metadata: { name: "linux", namespace } });
const found = <T>(...items: T[]) => ({ found: items });

describe("namespaces", () => {
  testCheck(namespaces, readings, [
    ["one namespace with the label", {}, ["✓"]],
    ["no namespace with the label", { namespaces: found(space("ci")) }, ["✗ none"]],
    [
      "one namespace with the label disabled",
      { namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "disabled" })) },
      ["✓"],
    ],
    [
      "a label with another value",
      { namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "true" })) },
      ["! odd-label"],
    ],
    [
      "the namespace of the release",
      { namespaces: found(space("ci", inject), space("primer", inject)) },
      ["! excluded"],
    ],
    ["that cannot be read", { namespaces: forbidden }, ["?"]],
  ]);

  test("the advice names the namespace", () => {
    const of = readings({ namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "yes" })) });
    expect(textOf(namespaces, of)).toContain("kubectl label --overwrite namespace x arc-primer.dev/inject=enabled");
  });
});

describe("scale-sets", () => {
  const declining = found(space("ci", inject), space("other", { "arc-primer.dev/inject": "disabled" }));
  testCheck(scaleSets, readings, [
    ["one in a labelled namespace", {}, ["✓"]],
    ["no ARC", { scaleSets: { missing: "the server could not find the requested resource" } }, ["! no-arc"]],
    ["no scale set", { scaleSets: { found: [] } }, ["! none"]],
    ["one in a namespace without the label", { scaleSets: found(set("ci"), set("other")) }, ["✓", "! unlabelled"]],
    [
      "one in a namespace with the label disabled",
      { scaleSets: found(set("ci"), set("other")), namespaces: declining },
      ["✓"],
    ],
    ["that cannot be read", { scaleSets: forbidden }, ["?"]],
    ["in namespaces that cannot be read", { namespaces: forbidden }, ["?"]],
  ]);

  test("a labelled namespace that no entry matches", () => {
    expect(marksOf(scaleSets, readings({}, { webhookConfiguration: configurationWith([]) }))).toEqual([
      "✓",
      "✗ unmatched",
    ]);
  });
});

describe("pod-security", () => {
  const skipping = (reason: "pod-security" | "wait-declined") => {
    const one = dryRun("linux");
    const outcome = { mutation: "prerequisites", result: "skipped" as const, reason, notes: [] };
    return readings({
      dryRuns: [{ ...one, podSecurity: "restricted", primed: { ...one.primed!, outcomes: [outcome] } }],
    });
  };

  test("the mutations that a level rules out", () => {
    expect(textOf(podSecurity, readings())).toBe("ci: privileged");
    expect(marksOf(podSecurity, skipping("wait-declined"))).toEqual(["✓"]);
    expect(marksOf(podSecurity, skipping("pod-security"))).toEqual(["✓", "! rules-out"]);
    expect(textOf(podSecurity, skipping("pod-security"))).toContain(
      "ci enforces restricted, which rules out prerequisites for linux",
    );
    expect(marksOf(podSecurity, readings({ dryRuns: [] }))).toEqual([]);
  });
});

describe("profiles", () => {
  const asking = () => {
    const one = dryRun("linux");
    const annotations = { "arc-primer.dev/profile": "fast" };
    return { ...one, pod: { ...one.pod!, metadata: { ...one.pod!.metadata, annotations } } };
  };

  test("each scale set's profile, by the rules", () => {
    const rules = configText({
      profiles: { slow: { enabled: false } },
      rules: [{ scaleSets: ["lin*"], profile: "slow" }],
    });
    expect(textOf(profiles, readings())).toBe("ci/linux: profile default");
    expect(textOf(profiles, readings({}, { configuration: configuration(rules) }))).toBe(
      "ci/linux: profile slow, which is disabled (enabled: false)",
    );
  });

  test("a profile that is requested but not assigned", () => {
    expect(marksOf(profiles, readings({ dryRuns: [asking()] }))).toEqual(["! not-given"]);
  });

  test("without a configuration", () => {
    expect(marksOf(profiles, readings({}, { configuration: undefined }))).toEqual(["?"]);
  });
});

describe("dry-runs", () => {
  const linux = dryRun("linux");
  const rejected = (status: number, message: string) => ({ ...linux, response: created({ message }, status) });
  const disabled = { ...linux.primed!, decision: { kind: "skip" as const, reason: "profile-disabled" as const } };
  const withStatus = (status: object) =>
    changedResponse(linux, (pod) => {
      pod.metadata.annotations = {
        [statusAnnotation]: JSON.stringify({ version: "1", profile: "default", applied: [], skipped: {}, ...status }),
      };
    });
  const cannot = 'pods is forbidden: User "reader" cannot create resource "pods" in API group ""';
  testCheck(dryRuns, (one: object) => readings({ dryRuns: [one as typeof linux] }), [
    ["primed", linux, ["✓"]],
    ["disabled by the profile", { ...linux, primed: disabled, response: created(linux.pod) }, ["✓"]],
    ["audit mode", { ...linux, primed: { ...linux.primed!, mode: "audit" }, response: created(linux.pod) }, ["✓"]],
    ["rejected", rejected(403, 'pods "x" is forbidden: violates PodSecurity "restricted"'), ["✗ refused"]],
    ["invalid", rejected(422, "spec.containers: Required value"), ["✗ refused"]],
    ["not primed", { ...linux, response: created(linux.pod) }, ["✗ not-primed"]],
    [
      "without a response, with failurePolicy Fail",
      rejected(500, 'failed calling webhook "runners.arc-primer.dev"'),
      ["✗ not-primed"],
    ],
    [
      "nothing applied",
      { ...linux, response: withStatus({ skipped: { "wait-for-docker": "no-docker" } }) },
      ["! nothing-applied"],
    ],
    [
      "something that needs attention",
      { ...linux, response: withStatus({ skipped: { "wait-for-docker": "no-runner-container" } }) },
      ["! left-out"],
    ],
    ["without a template", { ...linux, pod: undefined, response: undefined }, ["! no-template"]],
    ["without permission to create pods", rejected(403, cannot), ["?"]],
    ["without a connection", { ...linux, response: { failed: "the API server cannot be reached" } }, ["?"]],
  ]);

  test("a sidecar whose restartPolicy another webhook removed", () => {
    const response = changedResponse(linux, (pod) => {
      for (const container of pod.spec.initContainers ?? []) Object.assign(container, { restartPolicy: undefined });
    });
    expect(marksOf(dryRuns, readings({ dryRuns: [{ ...linux, response }] }))).toEqual(["✗ sidecar-lost"]);
  });

  test("the mutations that were applied, and the reasons for the others", () => {
    const skipped = { prerequisites: "read-only-root" };
    const of = readings({ dryRuns: [{ ...linux, response: withStatus({ applied: ["wait-for-docker"], skipped }) }] });
    expect(textOf(dryRuns, of)).toBe(
      "ci/linux: profile default, applied wait-for-docker; prerequisites not applied (read-only-root: The runner container's root filesystem is read-only, so no files can be added to it.)",
    );
  });
});

describe("references", () => {
  const login: Reference = {
    kind: "Secret",
    namespace: "ci",
    name: "login",
    key: ".dockerconfigjson",
    setting: "profile default, docker.credentials.secret",
    keys: { found: [".dockerconfigjson"] },
  };
  const fast: Reference = {
    ...login,
    kind: "StorageClass",
    namespace: "",
    name: "fast",
    key: undefined,
    keys: { found: [] },
  };
  const gone = { missing: "not found" };
  testCheck(references, (all: Reference[]) => readings({ references: all }), [
    ["no references", [], []],
    ["all exist", [login, fast], ["✓"]],
    ["a missing Secret", [{ ...login, keys: gone }], ["✗ missing"]],
    ["a Secret without the key", [{ ...login, keys: { found: ["x"] } }], ["✗ no-key"]],
    ["a missing storage class", [{ ...fast, keys: gone }], ["✗ no-storage-class"]],
    ["a Secret that cannot be read", [{ ...login, keys: forbidden }], ["?"]],
  ]);

  test("the advice names the object", () => {
    expect(textOf(references, readings({ references: [{ ...login, keys: gone }] }))).toContain(
      "Create the Secret login in the namespace ci",
    );
  });
});

describe("runner-pods", () => {
  const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
  const runner = (
    status: PodObject["status"],
    minutes = 5,
    annotations: Record<string, string> = { [statusAnnotation]: "{}" },
  ): PodObject => ({
    metadata: { name: "r", namespace: "ci", annotations, creationTimestamp: ago(minutes) },
    ...(status && { status }),
  });
  const waiting = (reason: string) => ({
    phase: "Pending",
    containerStatuses: [{ name: "runner", state: { waiting: { reason } } }],
  });
  const unscheduled = {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }],
  };
  testCheck(runnerPods, readings, [
    ["no runner pod", {}, ["✓"]],
    ["a primed pod", { runnerPods: found(runner({ phase: "Running" })) }, ["✓"]],
    ["an unprimed pod", { runnerPods: found(runner({ phase: "Running" }, 5, {})) }, ["! unprimed"]],
    [
      "a pod whose Secret is missing",
      { runnerPods: found(runner(waiting("CreateContainerConfigError"))) },
      ["! stuck"],
    ],
    ["a new pod", { runnerPods: found(runner(waiting("ErrImagePull"), 1)) }, ["✓"]],
    ["a pod without a node", { runnerPods: found(runner(unscheduled)) }, ["! stuck"]],
    ["a pod whose image is pulled", { runnerPods: found(runner(waiting("ContainerCreating"), 5)) }, ["✓"]],
    [
      "a pod whose image is pulled for 20 minutes",
      { runnerPods: found(runner(waiting("ContainerCreating"), 20)) },
      ["! stuck"],
    ],
    ["pods that cannot be read", { runnerPods: forbidden }, ["?"]],
  ]);
});
