import { expect, test } from "vitest";
import { anywhere, containerOf, goldenPod, profileWith } from "../../test/support/pods.ts";
import { applies, doesNotApply } from "./mutation.ts";
import type { Mutation } from "./mutation.ts";
import { runMutations } from "./run.ts";

const profile = profileWith({});
const fine: Mutation = {
  name: "registry-mirror",
  mutate(pod) {
    containerOf(pod, "dind").image = "docker:29-dind";
    return applies();
  },
};

function other(mutate: Mutation["mutate"]): Mutation {
  return { name: "wait-for-docker", mutate };
}

test("a mutation that throws in the middle is discarded whole, and the others still apply", () => {
  const broken = other((pod) => {
    containerOf(pod, "runner").command = ["half done"];
    throw new Error("oh no");
  });
  const before = goldenPod("dind-sidecar");
  const { pod, outcomes } = runMutations([broken, fine], before, profile, anywhere);
  expect(outcomes).toMatchObject([
    { mutation: "wait-for-docker", result: "skipped", reason: "mutation-failed", error: new Error("oh no") },
    { mutation: "registry-mirror", result: "applied" },
  ]);
  expect(containerOf(pod, "runner")).toBe(containerOf(before, "runner"));
  expect(containerOf(pod, "dind").image).toBe("docker:29-dind");
});

test("edits of a mutation that does not apply are discarded", () => {
  const before = goldenPod("dind-sidecar");
  const undecided = other((pod) => {
    containerOf(pod, "runner").command = ["changed my mind"];
    return doesNotApply("no-docker");
  });
  expect(runMutations([undecided], before, profile, anywhere).pod).toBe(before);
});

test.each<[string, Mutation["mutate"], RegExp]>([
  [
    "two containers of a name",
    (pod) => (pod.spec.containers.push({ name: "dind" }), applies()),
    /two containers are named dind/,
  ],
  [
    "a mount without a volume",
    (pod) => (containerOf(pod, "runner").volumeMounts?.push({ name: "nowhere", mountPath: "/x" }), applies()),
    /mounts the volume nowhere/,
  ],
  [
    "two mounts at a path",
    (pod) => (containerOf(pod, "runner").volumeMounts?.push({ name: "work", mountPath: "/var/run" }), applies()),
    /two volumes at \/var\/run/,
  ],
  [
    "another order",
    (pod) => ((pod.spec.initContainers = (pod.spec.initContainers ?? []).toReversed()), applies()),
    /init container that was there is gone/,
  ],
  ["a lost container", (pod) => (pod.spec.containers.pop(), applies()), /a container that was there is gone/],
  [
    "another restart policy",
    (pod) => ((containerOf(pod, "dind").restartPolicy = "Never"), applies()),
    /restartPolicy of container dind was changed/,
  ],
  [
    "more privilege",
    (pod) => ((containerOf(pod, "runner").securityContext = { privileged: true }), applies()),
    /securityContext of container runner was changed/,
  ],
  [
    "another service account",
    (pod) => ((pod.spec.serviceAccountName = "x"), applies()),
    /spec.serviceAccountName was changed/,
  ],
  ["another name", (pod) => ((pod.metadata.name = "x"), applies()), /metadata.name was changed/],
])("a mutation that leaves %s is discarded", (_what, mutate, message) => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcomes } = runMutations([other(mutate)], before, profile, anywhere);
  expect(pod).toBe(before);
  expect(outcomes).toMatchObject([{ reason: "invariant-broken", error: { message: expect.stringMatching(message) } }]);
});

test("what was wrong before is not blamed on a mutation", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.volumes?.push({ name: "work" });
  expect(runMutations([fine], before, profile, anywhere).outcomes[0]?.result).toBe("applied");
});

test("the pod that came in is never changed, and what nobody touched stays the same object", () => {
  const before = goldenPod("dind-sidecar");
  const copy = structuredClone(before);
  const { pod } = runMutations([fine], before, profile, anywhere);
  expect(before).toEqual(copy);
  expect(pod.metadata).toBe(before.metadata);
  expect(containerOf(pod, "runner")).toBe(containerOf(before, "runner"));
});
