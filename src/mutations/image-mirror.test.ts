import { expect, test } from "vitest";
import { containerOf, goldenPod, profileWith, runAll, runOne, unrestricted } from "../../test/support/pods.ts";
import { imageMirror } from "./image-mirror.ts";
import { mutations } from "./index.ts";

const mirrors = { "docker.io": "harbor.example.com/hub", "ghcr.io": "harbor.example.com/ghcr" };
const run = (pod = goldenPod("dind-sidecar"), images: object = { mirrors }) => runOne(imageMirror, pod, { images });

test("rewrites the images of the runner, DinD and their init containers; keeps pull policies and other images", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.containers.push({ name: "postgres", image: "postgres:18" });
  const { pod } = run(before);
  const images = [...pod.spec.initContainers!, ...pod.spec.containers].map(({ name, image, imagePullPolicy }) => [
    name,
    image,
    imagePullPolicy,
  ]);
  expect(images).toEqual([
    ["init-dind-externals", "harbor.example.com/ghcr/actions/actions-runner:latest", "Always"],
    ["dind", "harbor.example.com/hub/library/docker:dind", "IfNotPresent"],
    ["runner", "harbor.example.com/ghcr/actions/actions-runner:latest", "Always"],
    ["postgres", "postgres:18", undefined],
  ]);
  expect(pod.spec.imagePullSecrets).toBeUndefined();
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test("pull secrets are added to the existing ones, without duplicates", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.imagePullSecrets = [{ name: "own" }, { name: "harbor" }];
  const { pod, outcome } = run(before, { mirrors, pullSecrets: ["harbor", "more"] });
  expect(outcome.result).toBe("applied");
  expect(pod.spec.imagePullSecrets).toEqual([{ name: "own" }, { name: "harbor" }, { name: "more" }]);
});

test.each<[object, string]>([
  [{}, "not-configured"],
  [{ enabled: false, mirrors }, "disabled"],
  [{ mirrors: { "quay.io": "harbor.example.com/quay" }, pullSecrets: ["x"] }, "no-image-mirror"],
])("%j: %s", (images, reason) => {
  const pod = goldenPod("dind-sidecar");
  const result = run(pod, images);
  expect(result.outcome).toMatchObject({ reason });
  expect(result.pod).toBe(pod);
});

test("with everything that the other mutations add, and an image from the profile, the second pass changes nothing", () => {
  const profile = profileWith({
    images: { mirrors },
    docker: { inject: true, daemon: { image: "docker:29-dind" } },
    prerequisites: { packages: ["curl"] },
  });
  const { pod } = runAll(mutations, goldenPod("default-mode"), profile, unrestricted);
  expect(containerOf(pod, "dind").image).toBe("harbor.example.com/hub/library/docker:29-dind");
  expect(containerOf(pod, "arc-primer-prerequisites").image).toBe(containerOf(pod, "runner").image);
  expect(runAll(mutations, pod, profile, unrestricted).pod).toBe(pod);

  const stock = runAll(mutations, goldenPod("dind-sidecar"), profile, unrestricted);
  expect(containerOf(stock.pod, "dind").image).toBe("harbor.example.com/hub/library/docker:29-dind");
  const second = runAll(mutations, stock.pod, profile, unrestricted);
  expect(second.pod).toBe(stock.pod);
  expect(second.outcomes.flatMap(({ notes }) => notes)).not.toContain("image-kept");
});

test("the image of the externals volume is also pulled from the mirror", () => {
  const profile = profileWith({ images: { mirrors }, docker: { externals: "volume" } });
  const { pod } = runAll(mutations, goldenPod("dind-sidecar"), profile, unrestricted);
  const reference = "harbor.example.com/ghcr/actions/actions-runner:latest";
  expect(pod.spec.volumes).toContainEqual({ name: "dind-externals", image: { reference, pullPolicy: "Always" } });
  expect(runAll(mutations, pod, profile, unrestricted).pod).toBe(pod);
});
