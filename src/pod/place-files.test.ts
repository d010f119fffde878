import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import {
  allRegistries,
  containerOf,
  goldenPod,
  profileWith,
  runAll,
  runOne,
  unrestricted,
  withRunner,
} from "../../test/support/pods.ts";
import type { Mutation } from "../engine/mutation.ts";
import { buildkitMirrors } from "../mutations/buildkit-mirrors.ts";
import { daggerMirrors } from "../mutations/dagger-mirrors.ts";
import { privateCA } from "../mutations/private-ca.ts";
import script from "../scripts/place-files.sh";

// The mutations that place files in the runner container share one wrapper.

const all: [string, Mutation, object][] = [
  ["buildkit-mirrors", buildkitMirrors, allRegistries],
  ["dagger-mirrors", daggerMirrors, allRegistries],
  ["private-ca", privateCA, allRegistries],
];

test.each(all)("%s wraps the command, and the second pass changes nothing", (_name, mutation, profile) => {
  const first = runOne(mutation, goldenPod("dind-sidecar"), profile);
  const { command = [] } = containerOf(first.pod, "runner");
  expect(kubeletExpand(command[2] ?? "", { "": "x" })).toBe(script);
  expect(command.at(-1)).toBe("/home/runner/run.sh");
  const second = runOne(mutation, first.pod, profile);
  expect(second.outcome).toMatchObject({ reason: "already-there" });
  expect(second.pod).toBe(first.pod);
});

test.each(all)(
  "%s: does not apply to a container without a command, unless the profile sets one",
  (_name, mutation, profile) => {
    const pod = goldenPod("no-command");
    const result = runOne(mutation, pod, profile);
    expect(result.outcome).toMatchObject({ reason: "no-command" });
    expect(result.pod).toBe(pod);
    const named = { ...profile, runner: { command: ["/start.sh"] } };
    expect(containerOf(runOne(mutation, pod, named).pod, "runner").command?.at(-1)).toBe("/start.sh");
  },
);

test.each(all)(
  "%s: does not apply if the annotations are at the size limit or the pod has no runner container",
  (_name, mutation, profile) => {
    const pod = goldenPod("dind-sidecar");
    pod.metadata.annotations = { big: "x".repeat(262_000) };
    expect(runOne(mutation, pod, profile).outcome).toMatchObject({ reason: "no-room-for-files" });
    const other = { ...profile, runner: { container: "worker" } };
    expect(runOne(mutation, goldenPod("dind-sidecar"), other).outcome).toMatchObject({ reason: "no-runner-container" });
  },
);

test("all three can be combined, and each text is stored once", () => {
  const pod = goldenPod("dind-sidecar");
  const list = [buildkitMirrors, daggerMirrors, privateCA];
  const result = runAll(list, pod, profileWith(allRegistries), unrestricted);
  expect(result.outcomes.map((outcome) => outcome.result)).toEqual(["applied", "applied", "applied"]);
  expect(Object.keys(result.pod.metadata.annotations ?? {}).filter((key) => key.startsWith("arc-primer.dev/"))).toEqual(
    ["arc-primer.dev/buildkitd", "arc-primer.dev/ca", "arc-primer.dev/dagger-engine"],
  );
});

test("all three share one wrapper, even if another webhook has moved the command to args", () => {
  const pod = goldenPod("dind-sidecar");
  const profile = profileWith(allRegistries);
  const first = runAll([buildkitMirrors], pod, profile, unrestricted).pod;
  const moved = withRunner({});
  Object.assign(containerOf(moved, "runner"), { command: ["/launcher"], args: containerOf(first, "runner").command });
  for (const [before, key] of [
    [first, "command"],
    [moved, "args"],
  ] as const) {
    const after = runAll([buildkitMirrors, daggerMirrors, privateCA], before, profile, unrestricted).pod;
    const words = containerOf(after, "runner")[key] ?? [];
    expect(words.filter((word) => kubeletExpand(word, { "": "x" }) === script)).toHaveLength(1);
    expect(words.filter((word) => word === "home")).toHaveLength(1);
    expect(words).toEqual(expect.arrayContaining(["/home/runner/.config/dagger/engine.json", "trust"]));
    expect(words.at(-2)).toBe("--");
    const again = runAll([buildkitMirrors, daggerMirrors, privateCA], after, profile, unrestricted).pod;
    expect(again).toBe(after);
  }
});
