import { describe, expect, test } from "vitest";
import {
  answered,
  configuration,
  created,
  headed,
  inject,
  mayNot,
  now,
  readings,
  registered,
  says,
  trial,
  words,
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
  test.each<[string, object, string[]]>([
    ["one with the label", {}, ["✓"]],
    ["none", { namespaces: found(space("ci")) }, ["✗ none"]],
    [
      "one that declines",
      { namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "disabled" })) },
      ["✓"],
    ],
    [
      "a label with another value",
      { namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "true" })) },
      ["! odd-label"],
    ],
    ["the release's own", { namespaces: found(space("ci", inject), space("primer", inject)) }, ["! excluded"]],
    ["that may not be read", { namespaces: mayNot }, ["?"]],
  ])("%s", (_, changes, said) => expect(says(namespaces, readings(changes))).toEqual(said));

  test("the advice names the namespace", () => {
    const of = readings({ namespaces: found(space("ci", inject), space("x", { "arc-primer.dev/inject": "yes" })) });
    expect(words(namespaces, of)).toContain("kubectl label --overwrite namespace x arc-primer.dev/inject=enabled");
  });
});

describe("scale-sets", () => {
  const declining = found(space("ci", inject), space("other", { "arc-primer.dev/inject": "disabled" }));
  test.each<[string, object, string[]]>([
    ["one in a labelled namespace", {}, ["✓"]],
    ["no ARC", { scaleSets: { missing: "the server could not find the requested resource" } }, ["! no-arc"]],
    ["none", { scaleSets: { found: [] } }, ["! none"]],
    ["one elsewhere", { scaleSets: found(set("ci"), set("other")) }, ["✓", "! unlabelled"]],
    ["one where it is declined", { scaleSets: found(set("ci"), set("other")), namespaces: declining }, ["✓"]],
    ["that may not be read", { scaleSets: mayNot }, ["?"]],
    ["in namespaces that may not be read", { namespaces: mayNot }, ["?"]],
  ])("%s", (_, changes, said) => expect(says(scaleSets, readings(changes))).toEqual(said));

  test("a labelled namespace that no entry matches", () => {
    expect(says(scaleSets, readings({}, { registration: registered([]) }))).toEqual(["✓", "✗ unmatched"]);
  });
});

describe("pod-security", () => {
  const skipping = (reason: "pod-security" | "wait-declined") => {
    const one = trial("linux");
    const outcome = { mutation: "prerequisites", result: "skipped" as const, reason, notes: [] };
    return readings({
      trials: [{ ...one, podSecurity: "restricted", primed: { ...one.primed!, outcomes: [outcome] } }],
    });
  };

  test("what a level rules out", () => {
    expect(words(podSecurity, readings())).toBe("ci: privileged");
    expect(says(podSecurity, skipping("wait-declined"))).toEqual(["✓"]);
    expect(says(podSecurity, skipping("pod-security"))).toEqual(["✓", "! rules-out"]);
    expect(words(podSecurity, skipping("pod-security"))).toContain(
      "ci enforces restricted, which rules out prerequisites for linux",
    );
    expect(says(podSecurity, readings({ trials: [] }))).toEqual([]);
  });
});

describe("profiles", () => {
  const asking = () => {
    const one = trial("linux");
    const annotations = { "arc-primer.dev/profile": "fast" };
    return { ...one, pod: { ...one.pod!, metadata: { ...one.pod!.metadata, annotations } } };
  };

  test("each scale set's, by the rules", () => {
    const rules = headed({ profiles: { slow: { enabled: false } }, rules: [{ scaleSets: ["lin*"], profile: "slow" }] });
    expect(words(profiles, readings())).toBe("ci/linux: profile default");
    expect(words(profiles, readings({}, { configuration: configuration(rules) }))).toBe(
      "ci/linux: profile slow, which is switched off (enabled: false)",
    );
  });

  test("one that is asked for and not given", () => {
    expect(says(profiles, readings({ trials: [asking()] }))).toEqual(["! not-given"]);
  });

  test("without a configuration", () => {
    expect(says(profiles, readings({}, { configuration: undefined }))).toEqual(["?"]);
  });
});

describe("dry-runs", () => {
  const linux = trial("linux");
  const refused = (status: number, message: string) => ({ ...linux, answer: created({ message }, status) });
  const disabled = { ...linux.primed!, decision: { kind: "skip" as const, reason: "profile-disabled" as const } };
  const withStatus = (status: object) =>
    answered(linux, (pod) => {
      pod.metadata.annotations = {
        [statusAnnotation]: JSON.stringify({ version: "1", profile: "default", applied: [], skipped: {}, ...status }),
      };
    });
  const cannot = 'pods is forbidden: User "reader" cannot create resource "pods" in API group ""';
  test.each<[string, object, string[]]>([
    ["primed", linux, ["✓"]],
    ["switched off", { ...linux, primed: disabled, answer: created(linux.pod) }, ["✓"]],
    ["audit", { ...linux, primed: { ...linux.primed!, mode: "audit" }, answer: created(linux.pod) }, ["✓"]],
    ["refused", refused(403, 'pods "x" is forbidden: violates PodSecurity "restricted"'), ["✗ refused"]],
    ["invalid", refused(422, "spec.containers: Required value"), ["✗ refused"]],
    ["not primed", { ...linux, answer: created(linux.pod) }, ["✗ not-primed"]],
    [
      "without an answer, under Fail",
      refused(500, 'failed calling webhook "runners.arc-primer.dev"'),
      ["✗ not-primed"],
    ],
    [
      "nothing to do",
      { ...linux, answer: withStatus({ skipped: { "wait-for-docker": "no-docker" } }) },
      ["! nothing-applied"],
    ],
    [
      "something for somebody to look into",
      { ...linux, answer: withStatus({ skipped: { "wait-for-docker": "no-runner-container" } }) },
      ["! left-out"],
    ],
    ["without a template", { ...linux, pod: undefined, answer: undefined }, ["! no-template"]],
    ["by somebody who may not", refused(403, cannot), ["?"]],
    ["without a connection", { ...linux, answer: { failed: "the API server cannot be reached" } }, ["?"]],
  ])("%s", (_, one, said) => expect(says(dryRuns, readings({ trials: [one as typeof linux] }))).toEqual(said));

  test("a sidecar that another webhook has broken", () => {
    const answer = answered(linux, (pod) => {
      for (const container of pod.spec.initContainers ?? []) Object.assign(container, { restartPolicy: undefined });
    });
    expect(says(dryRuns, readings({ trials: [{ ...linux, answer }] }))).toEqual(["✗ sidecar-lost"]);
  });

  test("what was applied and why not, in words", () => {
    const skipped = { prerequisites: "read-only-root" };
    const of = readings({ trials: [{ ...linux, answer: withStatus({ applied: ["wait-for-docker"], skipped }) }] });
    expect(words(dryRuns, of)).toBe(
      "ci/linux: profile default, applied wait-for-docker; prerequisites left out (read-only-root: The runner container's root filesystem is read-only, so no files can be added to it.)",
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
  test.each<[string, Reference[], string[]]>([
    ["none", [], []],
    ["all there", [login, fast], ["✓"]],
    ["a Secret that is not there", [{ ...login, keys: gone }], ["✗ missing"]],
    ["one without the key", [{ ...login, keys: { found: ["x"] } }], ["✗ no-key"]],
    ["a storage class that is not there", [{ ...fast, keys: gone }], ["✗ no-storage-class"]],
    ["a Secret that may not be read", [{ ...login, keys: mayNot }], ["?"]],
  ])("%s", (_, all, said) => expect(says(references, readings({ references: all }))).toEqual(said));

  test("the advice names the object", () => {
    expect(words(references, readings({ references: [{ ...login, keys: gone }] }))).toContain(
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
  test.each<[string, object, string[]]>([
    ["none", {}, ["✓"]],
    ["a primed one", { runnerPods: found(runner({ phase: "Running" })) }, ["✓"]],
    ["one that is not primed", { runnerPods: found(runner({ phase: "Running" }, 5, {})) }, ["! unprimed"]],
    ["one whose Secret is missing", { runnerPods: found(runner(waiting("CreateContainerConfigError"))) }, ["! stuck"]],
    ["one that has just come", { runnerPods: found(runner(waiting("ErrImagePull"), 1)) }, ["✓"]],
    ["one without a node", { runnerPods: found(runner(unscheduled)) }, ["! stuck"]],
    ["one that is pulled", { runnerPods: found(runner(waiting("ContainerCreating"), 5)) }, ["✓"]],
    ["one that is pulled for ever", { runnerPods: found(runner(waiting("ContainerCreating"), 20)) }, ["! stuck"]],
    ["pods that may not be read", { runnerPods: mayNot }, ["?"]],
  ])("%s", (_, changes, said) => expect(says(runnerPods, readings(changes))).toEqual(said));
});
