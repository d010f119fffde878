import { expect, test } from "vitest";
import { containerOf, goldenPod, profileWith, runAll } from "../../test/support/pods.ts";
import { mutations } from "../mutations/index.ts";
import { applies, doesNotApply } from "./mutation.ts";
import type { Edit, Mutation } from "./mutation.ts";

const profile = profileWith({});
const fine: Mutation = {
  name: "registry-mirror",
  configure: () => (pod) => {
    containerOf(pod, "dind").image = "docker:29-dind";
    return applies();
  },
};

function other(edit: Edit): Mutation {
  return { name: "wait-for-docker", configure: () => edit };
}

test("if a mutation throws, all its changes are discarded, and the others still apply", () => {
  const broken = other((pod) => {
    containerOf(pod, "runner").command = ["half done"];
    throw new Error("oh no");
  });
  const before = goldenPod("dind-sidecar");
  const { pod, outcomes } = runAll([broken, fine], before, profile);
  expect(outcomes).toMatchObject([
    { mutation: "wait-for-docker", result: "skipped", reason: "mutation-failed", error: new Error("oh no") },
    { mutation: "registry-mirror", result: "applied" },
  ]);
  expect(containerOf(pod, "runner")).toBe(containerOf(before, "runner"));
  expect(containerOf(pod, "dind").image).toBe("docker:29-dind");
});

test("a mutation that the profile disables edits nothing", () => {
  const before = goldenPod("dind-sidecar");
  const unwanted: Mutation = { name: "wait-for-docker", configure: () => "disabled" };
  const { pod, outcomes } = runAll([unwanted], before, profile);
  expect(pod).toBe(before);
  expect(outcomes).toEqual([{ mutation: "wait-for-docker", result: "skipped", reason: "disabled", notes: [] }]);
});

test("if `configure` of a mutation throws, the mutation is skipped, and the others still apply", () => {
  const broken: Mutation = {
    name: "wait-for-docker",
    configure() {
      throw new Error("oh no");
    },
  };
  const { pod, outcomes } = runAll([broken, fine], goldenPod("dind-sidecar"), profile);
  expect(outcomes).toMatchObject([
    { mutation: "wait-for-docker", result: "skipped", reason: "mutation-failed", error: new Error("oh no") },
    { mutation: "registry-mirror", result: "applied" },
  ]);
  expect(containerOf(pod, "dind").image).toBe("docker:29-dind");
});

test("the edits of a mutation that does not apply are discarded", () => {
  const before = goldenPod("dind-sidecar");
  const undecided = other((pod) => {
    containerOf(pod, "runner").command = ["changed my mind"];
    return doesNotApply("no-docker");
  });
  expect(runAll([undecided], before, profile).pod).toBe(before);
});

test.each<[string, Edit, RegExp]>([
  [
    "two containers with the same name",
    (pod) => (pod.spec.containers.push({ name: "dind" }), applies()),
    /two containers are named dind/,
  ],
  [
    "a mount of a missing volume",
    (pod) => (containerOf(pod, "runner").volumeMounts?.push({ name: "nowhere", mountPath: "/x" }), applies()),
    /mounts the volume nowhere/,
  ],
  [
    "two mounts at the same path",
    (pod) => (containerOf(pod, "runner").volumeMounts?.push({ name: "work", mountPath: "/var/run" }), applies()),
    /two volumes at \/var\/run/,
  ],
  [
    "a different order of containers",
    (pod) => ((pod.spec.initContainers = (pod.spec.initContainers ?? []).toReversed()), applies()),
    /an init container was removed or reordered/,
  ],
  ["a missing container", (pod) => (pod.spec.containers.pop(), applies()), /a container was removed or reordered/],
  [
    "a different restart policy",
    (pod) => ((containerOf(pod, "dind").restartPolicy = "Never"), applies()),
    /restartPolicy of container dind was changed/,
  ],
  [
    "more privileges",
    (pod) => ((containerOf(pod, "runner").securityContext = { privileged: true }), applies()),
    /securityContext of container runner was changed/,
  ],
  [
    "a different service account",
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
    "a different grace period",
    (pod) => ((pod.spec.terminationGracePeriodSeconds = 600), applies()),
    /terminationGracePeriodSeconds was changed/,
  ],
  ["a different name", (pod) => ((pod.metadata.name = "x"), applies()), /metadata.name was changed/],
])("a mutation that results in %s is discarded", (_what, mutate, message) => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcomes } = runAll([other(mutate)], before, profile);
  expect(pod).toBe(before);
  expect(outcomes).toMatchObject([{ reason: "invariant-broken", error: { message: expect.stringMatching(message) } }]);
});

test("with the permission, a privileged container may be added, but existing containers must not get privileges", () => {
  const may = ["add-privileged-containers"] as const;
  const add: Edit = (pod) => {
    pod.spec.containers.push({ name: "x", securityContext: { privileged: true } });
    return applies();
  };
  const before = goldenPod("dind-sidecar");
  expect(runAll([{ ...other(add), permissions: may }], before, profile).outcomes[0]?.result).toBe("applied");
  const raise: Edit = (pod) => {
    containerOf(pod, "runner").securityContext = { privileged: true };
    return applies();
  };
  const { outcomes } = runAll([{ ...other(raise), permissions: may }], before, profile);
  expect(outcomes).toMatchObject([{ reason: "invariant-broken" }]);
});

test.each([
  [31, "applied"],
  [29, "skipped"],
  [undefined, "skipped"],
])("with the permission, the grace period may be lengthened, but not shortened: %s", (seconds, result) => {
  const change: Edit = (pod) => {
    if (seconds === undefined) delete pod.spec.terminationGracePeriodSeconds;
    else pod.spec.terminationGracePeriodSeconds = seconds;
    return applies();
  };
  const mutation: Mutation = { ...other(change), permissions: ["lengthen-grace-period"] };
  expect(runAll([mutation], goldenPod("dind-sidecar"), profile).outcomes[0]?.result).toBe(result);
});

test("only inject-docker may add privileged containers", () => {
  const allowed = mutations.filter(({ permissions: may }) => may?.includes("add-privileged-containers"));
  expect(allowed.map(({ name }) => name)).toEqual(["inject-docker"]);
});

test("problems that the pod had before are not attributed to a mutation", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.volumes?.push({ name: "work" }, { name: "work" });
  expect(runAll([fine], before, profile).outcomes[0]?.result).toBe("applied");
});

test("the original pod is never modified, and unchanged parts are the same objects", () => {
  const before = goldenPod("dind-sidecar");
  const copy = structuredClone(before);
  const { pod } = runAll([fine], before, profile);
  expect(before).toEqual(copy);
  expect(pod.metadata).toBe(before.metadata);
  expect(containerOf(pod, "runner")).toBe(containerOf(before, "runner"));
});
