import { expect, test } from "vitest";
import { allRegistries, containerOf, goldenPod, mirrors, runOne, withRunner } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { buildkitMirrors } from "./buildkit-mirrors.ts";

const run = (pod: Pod = goldenPod("dind-sidecar"), profile: object = mirrors) => runOne(buildkitMirrors, pod, profile);

test("buildx: the certificates are copied first, then the file", () => {
  const { wrapperArgs, pod } = run(undefined, allRegistries);
  expect(wrapperArgs).toEqual([
    "arc-primer-files",
    "home",
    "/home/runner",
    "copy-ca",
    "/etc/arc-primer/buildkit/ca.crt",
    "/home/runner/.docker/buildx/arc-primer-ca.pem",
    "copy",
    "/etc/arc-primer/buildkit/buildkitd.default.toml",
    "/home/runner/.docker/buildx/buildkitd.default.toml",
  ]);
  expect(pod.metadata.annotations?.["arc-primer.dev/buildkitd"]).toContain(
    'ca = ["/home/runner/.docker/buildx/arc-primer-ca.pem"]',
  );
  expect(containerOf(pod, "dind")).toEqual(containerOf(goldenPod("dind-sidecar"), "dind"));
});

test.each<[string, Partial<Container>, object, string, boolean]>([
  ["by default", {}, {}, "/home/runner/.docker/buildx", true],
  ["with runner.home in the profile", {}, { runner: { home: "/work/home" } }, "/work/home/.docker/buildx", true],
  ["if the user is root", { securityContext: { runAsUser: 0 } }, {}, "/root/.docker/buildx", true],
  ["with HOME", { env: [{ name: "HOME", value: "/h/" }] }, {}, "/h/.docker/buildx", true],
  ["with DOCKER_CONFIG", { env: [{ name: "DOCKER_CONFIG", value: "/d" }] }, {}, "/d/buildx", false],
  ["with BUILDX_CONFIG", { env: [{ name: "BUILDX_CONFIG", value: "/b" }] }, {}, "/b", false],
])("buildx's directory %s", (_what, { env = [], ...change }, more, folder, inHome) => {
  const pod = withRunner(change);
  containerOf(pod, "runner").env?.push(...env);
  const { wrapperArgs } = run(pod, { ...mirrors, ...more });
  expect(wrapperArgs.at(-1)).toBe(`${folder}/buildkitd.default.toml`);
  expect(wrapperArgs.includes("home")).toBe(inHome);
});

test.each<[string, string, Pod, object]>([
  ["disabled in the profile", "disabled", goldenPod("dind-sidecar"), { ...mirrors, buildkit: { enabled: false } }],
  ["no registries", "not-configured", goldenPod("dind-sidecar"), {}],
  [
    "no registries and no runner container",
    "not-configured",
    goldenPod("dind-sidecar"),
    { runner: { container: "worker" } },
  ],
  ["no Docker", "no-docker", goldenPod("default-mode"), mirrors],
  ["jobs in separate pods", "kubernetes-mode", goldenPod("kubernetes-mode"), mirrors],
  [
    "a path before /v2",
    "no-usable-mirror",
    goldenPod("dind-sidecar"),
    { registries: { "docker.io": { mirrors: [{ url: "https://nexus.example.com/repository/hub" }] } } },
  ],
  [
    "a variable whose value is unknown",
    "path-unknown",
    withRunner({
      env: [
        { name: "DOCKER_HOST", value: "tcp://localhost:2375" },
        { name: "BUILDX_CONFIG", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ],
    }),
    mirrors,
  ],
  [
    "an existing buildkitd.default.toml",
    "buildkit-file-mounted",
    withRunner({ volumeMounts: [{ name: "work", mountPath: "/home/runner/.docker/buildx/buildkitd.default.toml" }] }),
    mirrors,
  ],
])("does not apply: %s (%s)", (_what, reason, pod, profile) => {
  expect(run(pod, profile).outcome).toMatchObject({ reason });
});

test.each<[string, object, object, object]>([
  ["from the node, at the parent directory", { hostPath: { path: "/cache" } }, {}, { reason: "buildkit-file-mounted" }],
  [
    "that persists after the pod",
    { persistentVolumeClaim: { claimName: "x" } },
    {},
    { reason: "buildkit-file-mounted" },
  ],
  ["from a Secret", { secret: { secretName: "x" } }, {}, { reason: "buildkit-file-mounted" }],
  ["that is new in every pod", { emptyDir: {} }, {}, { result: "applied" }],
  [
    "from the node, at another directory",
    { hostPath: { path: "/" } },
    { mountPath: "/home/runner/.docker-x" },
    { result: "applied" },
  ],
])("buildx's file and an existing volume %s: %j", (_what, source, mount, want) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").volumeMounts?.push({ name: "mine", mountPath: "/home/runner/.docker", ...mount });
  pod.spec.volumes?.push({ name: "mine", ...source });
  expect(run(pod).outcome).toMatchObject(want);
});

test("buildx with Docker outside the pod; mirrors that are left out are reported", () => {
  const pod = withRunner({ env: [{ name: "DOCKER_HOST", value: "tcp://docker:2375" }] }, "default-mode");
  expect(run(pod, allRegistries).outcome).toMatchObject({
    result: "applied",
    notes: ["mirrors-left-out"],
  });
});

test.each<[string, (pod: Pod) => unknown]>([
  [
    "BUILDKIT_HOST",
    (pod) => containerOf(pod, "runner").env?.push({ name: "BUILDKIT_HOST", value: "tcp://buildkit:1234" }),
  ],
  ["its image", (pod) => pod.spec.containers.push({ name: "builder", image: "moby/buildkit:v0.25-rootless" })],
  ["its command", (pod) => pod.spec.containers.push({ name: "x", command: ["rootlesskit", "buildkitd"] })],
])("the pod runs its own BuildKit (%s): buildx would reject the file", (_how, change) => {
  const pod = goldenPod("dind-sidecar");
  change(pod);
  expect(run(pod).outcome).toMatchObject({ reason: "buildkit-in-use" });
});

test("the node's socket counts as Docker", () => {
  const pod = goldenPod("default-mode");
  pod.spec.volumes?.push({ name: "node", hostPath: { path: "/var/run/docker.sock" } });
  containerOf(pod, "runner").volumeMounts?.push({ name: "node", mountPath: "/var/run/docker.sock" });
  expect(run(pod).outcome.result).toBe("applied");
});
