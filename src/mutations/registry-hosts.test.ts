import { expect, test } from "vitest";
import { allRegistries, containerOf, goldenPod, runOne } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { registryHosts } from "./registry-hosts.ts";

const ghcr = { registries: { "ghcr.io": { mirrors: [{ url: "http://cache:5000/v2/ghcr" }] } } };
const containerd = { docker: { imageStore: "containerd" } };
const feature = "--feature=containerd-snapshotter=true";

const run = (pod: Pod, profile: object = ghcr) => runOne(registryHosts, pod, profile);

function withDind(change: Partial<Container>, golden = "dind-container"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "dind"), change);
  return pod;
}

test("adds an annotation, a volume with its text, and a mount at certs.d, and nothing else", () => {
  const before = goldenPod("dind-sidecar");
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(pod.metadata.annotations).toMatchObject({
    "arc-primer.dev/hosts-0": expect.stringContaining('[host."http://cache:5000/v2/ghcr"]'),
  });
  expect(pod.spec.volumes?.at(-1)).toEqual({
    name: "arc-primer-registry-hosts",
    projected: {
      defaultMode: 420,
      sources: [
        {
          downwardAPI: {
            items: [
              {
                path: "ghcr.io/hosts.toml",
                fieldRef: { apiVersion: "v1", fieldPath: "metadata.annotations['arc-primer.dev/hosts-0']" },
              },
            ],
          },
        },
      ],
    },
  });
  expect(containerOf(pod, "dind").volumeMounts?.at(-1)).toEqual({
    name: "arc-primer-registry-hosts",
    mountPath: "/etc/docker/certs.d",
    readOnly: true,
  });
  expect(containerOf(pod, "dind").args).toEqual(containerOf(before, "dind").args);
  expect(containerOf(pod, "runner")).toBe(containerOf(before, "runner"));
});

test("the second pass changes nothing, even if the API server has reordered keys", () => {
  const { pod } = run(goldenPod("dind-sidecar"), { ...allRegistries, ...containerd });
  const sorted = JSON.parse(
    JSON.stringify(pod, (_key, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? 1 : -1)))
        : value,
    ),
  ) as Pod;
  const second = run(sorted, { ...allRegistries, ...containerd });
  expect(second.outcome).toMatchObject({ reason: "already-there" });
  expect(second.pod).toBe(sorted);
});

test.each([
  ["docker:dind", true],
  ["docker:latest", true],
  ["docker", true],
  ["docker:dind-rootless", true],
  ["docker:29-dind", true],
  ["docker:29.1.2-dind-alpine3.22", true],
  ["harbor.example.com:8443/hub/library/docker:30-dind", true],
  ["docker:28-dind", "image-store"],
  ["docker:28.5.2-dind", "image-store"],
  ["docker:27.5-dind", "docker-too-old"],
  ["docker:20.10.24-dind", "docker-too-old"],
  [`docker:dind@sha256:${"a".repeat(64)}`, "docker-version-unknown"],
  [`docker:29-dind@sha256:${"a".repeat(64)}`, true],
  ["example.com/ci/engine:29", "docker-version-unknown"],
])("%s, judging by the tag only: %s", (image, supported) => {
  const { outcome } = run(withDind({ image }));
  expect(outcome).toMatchObject(supported === true ? { result: "applied" } : { reason: supported });
});

test.each<[string, Partial<Container>, object, object]>([
  ["28, with imageStore in the profile", { image: "docker:28-dind" }, containerd, { result: "applied" }],
  [
    "28, with the feature flag in the pod",
    { image: "docker:28-dind", args: ["dockerd", feature] },
    {},
    { result: "applied" },
  ],
  ["27, with imageStore in the profile", { image: "docker:27-dind" }, containerd, { reason: "docker-too-old" }],
  [
    "an unknown image, with imageStore in the profile",
    { image: "x/engine:1", args: ["dockerd"] },
    containerd,
    { result: "applied" },
  ],
  [
    "29 with the store disabled",
    { args: ["dockerd", "--feature", "containerd-snapshotter=false"] },
    {},
    { reason: "graph-driver" },
  ],
  ["29 with --storage-driver", { args: ["dockerd", "--storage-driver=overlay2"] }, {}, { reason: "graph-driver" }],
  ["29 with DOCKER_DRIVER", { env: [{ name: "DOCKER_DRIVER", value: "vfs" }] }, {}, { reason: "graph-driver" }],
])("the image store: %s", (_what, change, more, want) => {
  expect(run(withDind(change), { ...ghcr, ...more }).outcome).toMatchObject(want);
});

test.each([
  ["docker:29-dind", []],
  ["harbor.example.com:8443/hub/library/docker:dind-rootless", []],
  ["example.com/ci/engine:29", ["certs-d-hidden"]],
])("a note says that the mount hides the certs.d of a custom image: %s, %j", (image, notes) => {
  const { outcome } = run(withDind({ image, args: ["dockerd"] }), { ...ghcr, ...containerd });
  expect(outcome).toMatchObject({ result: "applied", notes });
});

test("the feature flag is added only to Docker 28, once, and not together with a daemon.json", () => {
  const twentyEight = { image: "docker:28-dind" };
  expect(containerOf(run(withDind(twentyEight), { ...ghcr, ...containerd }).pod, "dind").args?.at(-1)).toBe(feature);
  expect(containerOf(run(withDind({}), { ...ghcr, ...containerd }).pod, "dind").args).not.toContain(feature);
  const own = withDind({ ...twentyEight, args: ["dockerd", "--feature=containerd-snapshotter=1"] });
  expect(containerOf(run(own, { ...ghcr, ...containerd }).pod, "dind").args).toHaveLength(2);
  const withFile = withDind({ ...twentyEight, args: ["dockerd", "--config-file=/d.json"] });
  const { pod, outcome } = run(withFile, { ...ghcr, ...containerd });
  expect(outcome).toMatchObject({ result: "applied", notes: ["feature-flag-left-out"] });
  expect(containerOf(pod, "dind").args).toEqual(["dockerd", "--config-file=/d.json"]);
});

test.each<[object, string[]]>([
  [{ persistentVolumeClaim: { claimName: "cache" } }, ["docker-data-kept"]],
  [{ emptyDir: {} }, []],
])("Docker's data in the volume %j: notes %j", (source, notes) => {
  const pod = goldenPod("dind-container");
  containerOf(pod, "dind").volumeMounts?.push({ name: "data", mountPath: "/var/lib/docker" });
  pod.spec.volumes?.push({ name: "data", ...source });
  expect(run(pod).outcome).toMatchObject({ result: "applied", notes });
});

test("private certificates work with every version of Docker; a note says that mirrors do not", () => {
  const { pod, outcome } = run(withDind({ image: "docker:24-dind" }), allRegistries);
  expect(outcome).toMatchObject({ result: "applied", notes: ["docker-too-old"] });
  const paths = JSON.stringify(
    pod.spec.volumes?.at(-1)?.projected?.sources?.map(({ downwardAPI }) => downwardAPI?.items?.[0]?.path),
  );
  expect(paths).toBe('["ghcr.io/ca.crt","harbor.example.com:8443/ca.crt"]');
});

test("a ConfigMap or Secret with certificates is optional: the pod starts without it", () => {
  const profile = { ...allRegistries, privateCA: { secret: { name: "corporate-ca", key: "tls.crt" } } };
  const { pod } = run(goldenPod("dind-sidecar"), profile);
  expect(pod.spec.volumes?.at(-1)?.projected?.sources).toContainEqual({
    secret: {
      name: "corporate-ca",
      items: [{ key: "tls.crt", path: "harbor.example.com:8443/ca.crt" }],
      optional: true,
    },
  });
});

test.each<[string, string, object, object]>([
  ["certs.d itself", "/etc/docker/certs.d", { emptyDir: {} }, { reason: "certs-d-mounted" }],
  ["a registry in it", "/etc/docker/certs.d/ghcr.io/", { configMap: {} }, { reason: "certs-d-mounted" }],
  ["a read-only parent directory", "/etc/docker", { configMap: {} }, { reason: "certs-d-mounted" }],
  ["a writable parent directory", "/etc", { emptyDir: {} }, { result: "applied" }],
  ["another directory", "/etc/docker-other", { configMap: {} }, { result: "applied" }],
])("an existing volume at %s", (_what, mountPath, source, want) => {
  const pod = goldenPod("dind-container");
  containerOf(pod, "dind").volumeMounts?.push({ name: "mine", mountPath });
  pod.spec.volumes?.push({ name: "mine", ...source });
  expect(run(pod).outcome).toMatchObject(want);
});

test.each<[string, Partial<Container>, string]>([
  ["GitHub's template", {}, "/home/runner/.config/docker/certs.d"],
  ["the image's home directory", { volumeMounts: [] }, "/home/rootless/.config/docker/certs.d"],
  ["HOME", { env: [{ name: "HOME", value: "/h" }] }, "/h/.config/docker/certs.d"],
  ["XDG_CONFIG_HOME", { env: [{ name: "XDG_CONFIG_HOME", value: "/x" }] }, "/x/docker/certs.d"],
])("rootless: the path of certs.d depends on %s", (_what, change, path) => {
  const { pod } = run(withDind(change, "dind-rootless"));
  expect(containerOf(pod, "dind").volumeMounts?.at(-1)?.mountPath).toBe(path);
});

test("does not apply if only the kubelet can resolve the home directory", () => {
  const env = [{ name: "HOME", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } }];
  expect(run(withDind({ env }, "dind-rootless")).outcome).toMatchObject({ reason: "path-unknown" });
});

test.each([
  [
    "only a mirror of Docker Hub",
    { registries: { "docker.io": { mirrors: [{ url: "http://a" }] } } },
    "not-configured",
  ],
  ["disabled in the profile", { ...ghcr, docker: { hosts: { enabled: false } } }, "disabled"],
  [
    "only a mirror at the node's IP address",
    { registries: { "ghcr.io": { mirrors: [{ url: "http://$(HOST_IP)" }] } } },
    "no-usable-mirror",
  ],
])("does not apply: %s, %j (%s)", (_what, profile, reason) => {
  expect(run(goldenPod("dind-sidecar"), profile).outcome).toMatchObject({ reason });
});

test("without Docker, no files are added", () => {
  expect(run(goldenPod("kubernetes-mode")).outcome).toMatchObject({ reason: "no-dind" });
});

test("does not apply if the pod's annotations have no room for the files", () => {
  const pod = goldenPod("dind-sidecar");
  pod.metadata.annotations = { big: "x".repeat(262_100) };
  const result = run(pod);
  expect(result.outcome).toMatchObject({ reason: "no-room-for-files" });
  expect(result.pod).toBe(pod);
});

test("existing mounts for single registries in certs.d are kept; every other registry gets its own mount", () => {
  const pod = withDind({});
  containerOf(pod, "dind").volumeMounts?.push({ name: "ca", mountPath: "/etc/docker/certs.d/harbor.internal" });
  pod.spec.volumes?.push({ name: "ca", configMap: { name: "ca" } });
  const profile = { registries: { ...ghcr.registries, "quay.io:443": ghcr.registries["ghcr.io"] } };
  const result = run(pod, profile);
  expect(result.outcome).toMatchObject({ result: "applied", notes: ["certs-d-shared"] });
  const own = containerOf(result.pod, "dind").volumeMounts?.filter(({ name }) => name.startsWith("arc-primer"));
  expect(own).toEqual([
    {
      name: "arc-primer-registry-hosts",
      mountPath: "/etc/docker/certs.d/ghcr.io",
      subPath: "ghcr.io",
      readOnly: true,
    },
  ]);
  expect(run(result.pod, profile).pod).toBe(result.pod);

  containerOf(pod, "dind").volumeMounts?.push({ name: "ca", mountPath: "/etc/docker/certs.d/ghcr.io" });
  expect(run(pod).outcome).toMatchObject({ reason: "certs-d-mounted" });
});

test("does not apply to rootless Docker before 23, which would not start with a mount below ~/.config", () => {
  const old = withDind({ image: "docker:20.10-dind-rootless" });
  expect(run(old, allRegistries).outcome).toMatchObject({ reason: "rootless-too-old" });
  expect(run(withDind({ image: "docker:23-dind-rootless" }), allRegistries).outcome.result).toBe("applied");
});

test("with two DinD containers, only the one that reads hosts.toml gets the files", () => {
  const pod = withDind({ args: ["dockerd"] });
  pod.spec.containers.push({ name: "second", image: "docker:27-dind", args: ["dockerd"] });
  const { pod: after, outcome } = run(pod);
  expect(outcome).toMatchObject({ result: "applied", notes: ["docker-too-old"] });
  expect(containerOf(after, "dind").volumeMounts?.at(-1)?.mountPath).toBe("/etc/docker/certs.d");
  expect(containerOf(after, "second").volumeMounts).toBeUndefined();
});
