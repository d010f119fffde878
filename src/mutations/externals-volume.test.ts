import { expect, test } from "vitest";
import { containerOf, goldenPod, profileWith, runAll, runOne } from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import { externalsVolume } from "./externals-volume.ts";
import { mutations } from "./index.ts";
import { waitForDocker } from "./wait-for-docker.ts";

const volume = { docker: { externals: "volume" } };
const memory = { docker: { externals: "memory" } };
const volumeOf = ({ spec }: Pod) => spec.volumes?.find(({ name }) => name === "dind-externals");

function limited(memoryOf: Record<string, string>): Pod {
  const pod = goldenPod("dind-sidecar");
  for (const [name, limit] of Object.entries(memoryOf)) {
    containerOf(pod, name).resources = { limits: { memory: limit } };
  }
  return pod;
}

test("the image is mounted read-only instead of being copied, and the wait checks it", () => {
  const before = goldenPod("dind-sidecar");
  const { image, imagePullPolicy } = containerOf(before, "init-dind-externals");
  const { pod, outcomes } = runAll([waitForDocker, externalsVolume], before, profileWith(volume));
  expect(outcomes[1]).toMatchObject({ result: "applied", notes: [] });
  expect(pod.spec.initContainers?.map(({ name }) => name)).toEqual(["dind"]);
  expect(volumeOf(pod)).toEqual({
    name: "dind-externals",
    image: { reference: image, ...(imagePullPolicy && { pullPolicy: imagePullPolicy }) },
  });
  const mount = { name: "dind-externals", subPath: "home/runner/externals", readOnly: true };
  expect(containerOf(pod, "dind").volumeMounts).toContainEqual({ ...mount, mountPath: "/home/runner/externals" });
  expect(containerOf(pod, "runner").volumeMounts).toContainEqual({ ...mount, mountPath: "/arc-primer/externals" });
  expect(containerOf(pod, "runner").command).toContain("externals=/arc-primer/externals");
});

test("the volume has the image and the pull policy of the copying container", () => {
  const pod = goldenPod("dind-sidecar");
  Object.assign(containerOf(pod, "init-dind-externals"), { image: "mirror/runner:2", imagePullPolicy: "Always" });
  expect(volumeOf(runOne(externalsVolume, pod, volume).pod)).toMatchObject({
    image: { reference: "mirror/runner:2", pullPolicy: "Always" },
  });
});

test("without the wait, the externals are not checked, and a note says so", () => {
  const { pod, outcome } = runOne(externalsVolume, goldenPod("dind-sidecar"), volume);
  expect(outcome).toMatchObject({ result: "applied", notes: ["externals-unchecked"] });
  expect(containerOf(pod, "runner")).toEqual(containerOf(goldenPod("dind-sidecar"), "runner"));
});

test.each(["dind-sidecar", "dind-container", "dind-rootless"])("%s: the second pass changes nothing", (golden) => {
  const first = runAll(mutations, goldenPod(golden), profileWith(volume));
  expect(first.outcomes.find(({ mutation }) => mutation === "externals-volume")?.result).toBe("applied");
  expect(runAll(mutations, first.pod, profileWith(volume)).pod).toBe(first.pod);
});

test("injected DinD gets its externals the same way", () => {
  const profile = profileWith({ docker: { inject: true, externals: "volume" } });
  const { pod } = runAll(mutations, goldenPod("default-mode"), profile);
  expect(pod.spec.initContainers?.map(({ name }) => name)).toEqual(["dind"]);
  expect(volumeOf(pod)).toHaveProperty("image");
});

test("memory: the copy is kept, but its volume is in memory", () => {
  const { pod, outcome } = runOne(externalsVolume, goldenPod("dind-sidecar"), memory);
  expect(outcome.result).toBe("applied");
  expect(volumeOf(pod)).toEqual({ name: "dind-externals", emptyDir: { medium: "Memory" } });
  expect(pod.spec.initContainers).toEqual(goldenPod("dind-sidecar").spec.initContainers);
  expect(runOne(externalsVolume, pod, memory).outcome).toMatchObject({ reason: "already-there" });
});

const all = ["runner", "dind", "init-dind-externals"];
test.each<[string, Pod, object]>([
  ["the copying container's limit is too low", limited({ "init-dind-externals": "512Mi" }), { reason: "memory-limit" }],
  ["its limit is high enough", limited({ "init-dind-externals": "1Gi" }), { result: "applied" }],
  [
    "all containers have limits, and their sum is too low",
    { ...limited({ ...Object.fromEntries(all.map((name) => [name, "400Mi"])), "init-dind-externals": "2Gi" }) },
    { reason: "memory-limit" },
  ],
  ["one container has no limit", limited({ runner: "400Mi" }), { result: "applied" }],
])("memory: %s", (_what, pod, want) => {
  expect(runOne(externalsVolume, pod, memory).outcome).toMatchObject(want);
});

test("memory: the pod-level limit is too low", () => {
  const pod = goldenPod("dind-sidecar");
  pod.spec.resources = { limits: { memory: "900Mi" } };
  expect(runOne(externalsVolume, pod, memory).outcome).toMatchObject({ reason: "memory-limit" });
});

test.each<[string, object, string, string]>([
  ["by default", {}, "dind-sidecar", "not-configured"],
  ["without DinD", volume, "default-mode", "no-dind"],
])("does not apply %s", (_what, profile, golden, reason) => {
  const pod = goldenPod(golden);
  const result = runOne(externalsVolume, pod, profile);
  expect(result.outcome).toMatchObject({ reason });
  expect(result.pod).toBe(pod);
});

test("another image volume of the pod does not count", () => {
  const pod = goldenPod("dind-sidecar");
  pod.spec.volumes?.push({ name: "tools", image: { reference: "tools:1" } });
  containerOf(pod, "dind").volumeMounts?.push({ name: "tools", mountPath: "/tools" });
  expect(runOne(externalsVolume, pod, volume).outcome.result).toBe("applied");
});
