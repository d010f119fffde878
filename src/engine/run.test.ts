import { expect, test } from "vitest";
import { anywhere, containerOf, goldenPod, profileWith } from "../../test/support/pods.ts";
import { mutations } from "../mutations/index.ts";
import { applies, doesNotApply } from "./mutation.ts";
import type { Mutation } from "./mutation.ts";
import { runMutations } from "./run.ts";

const profile = profileWith({});
const fine: Mutation = {
  name: "registry-mirror",
  unwanted: () => undefined,
  mutate(pod) {
    containerOf(pod, "dind").image = "docker:29-dind";
    return applies();
  },
};

function other(mutate: Mutation["mutate"]): Mutation {
  return { name: "wait-for-docker", unwanted: () => undefined, mutate };
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

test("a mutation that the profile has no use for is not asked to edit", () => {
  const before = goldenPod("dind-sidecar");
  const unwanted: Mutation = {
    name: "wait-for-docker",
    unwanted: () => "disabled",
    mutate: () => {
      throw new Error("was asked");
    },
  };
  const { pod, outcomes } = runMutations([unwanted], before, profile, anywhere);
  expect(pod).toBe(before);
  expect(outcomes).toEqual([{ mutation: "wait-for-docker", result: "skipped", reason: "disabled", notes: [] }]);
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
  [
    "a new privileged container",
    (pod) => (pod.spec.containers.push({ name: "x", securityContext: { privileged: true } }), applies()),
    /container x was added with privileges/,
  ],
  [
    "a new container with capabilities",
    (pod) => (
      pod.spec.initContainers?.push({ name: "x", securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }),
      applies()
    ),
    /container x was added with privileges/,
  ],
  [
    "another grace period",
    (pod) => ((pod.spec.terminationGracePeriodSeconds = 600), applies()),
    /terminationGracePeriodSeconds was changed/,
  ],
  ["another name", (pod) => ((pod.metadata.name = "x"), applies()), /metadata.name was changed/],
])("a mutation that leaves %s is discarded", (_what, mutate, message) => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcomes } = runMutations([other(mutate)], before, profile, anywhere);
  expect(pod).toBe(before);
  expect(outcomes).toMatchObject([{ reason: "invariant-broken", error: { message: expect.stringMatching(message) } }]);
});

test("with the permission a privileged container may be added, but none that is there raised", () => {
  const may = ["add-privileged-containers"] as const;
  const add: Mutation["mutate"] = (pod) => {
    pod.spec.containers.push({ name: "x", securityContext: { privileged: true } });
    return applies();
  };
  const before = goldenPod("dind-sidecar");
  expect(runMutations([{ ...other(add), may }], before, profile, anywhere).outcomes[0]?.result).toBe("applied");
  const raise: Mutation["mutate"] = (pod) => {
    containerOf(pod, "runner").securityContext = { privileged: true };
    return applies();
  };
  const { outcomes } = runMutations([{ ...other(raise), may }], before, profile, anywhere);
  expect(outcomes).toMatchObject([{ reason: "invariant-broken" }]);
});

test.each([
  [31, "applied"],
  [29, "skipped"],
  [undefined, "skipped"],
])("with the permission the grace period may be lengthened, not shortened: %s", (seconds, result) => {
  const change: Mutation["mutate"] = (pod) => {
    if (seconds === undefined) delete pod.spec.terminationGracePeriodSeconds;
    else pod.spec.terminationGracePeriodSeconds = seconds;
    return applies();
  };
  const mutation: Mutation = { ...other(change), may: ["lengthen-grace-period"] };
  expect(runMutations([mutation], goldenPod("dind-sidecar"), profile, anywhere).outcomes[0]?.result).toBe(result);
});

test("only the one that adds DinD may add privileged containers", () => {
  const allowed = mutations.filter(({ may }) => may?.includes("add-privileged-containers"));
  expect(allowed.map(({ name }) => name)).toEqual(["inject-docker"]);
});

test("what was wrong before is not blamed on a mutation", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.volumes?.push({ name: "work" }, { name: "work" });
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
