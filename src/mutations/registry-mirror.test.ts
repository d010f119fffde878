import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { anywhere, containerOf, goldenPod, mirrors, profileWith, runAll } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { registryMirror } from "./registry-mirror.ts";

const flag = "--registry-mirror=http://registry-cache:5000";

function run(pod: Pod, profile: object = mirrors) {
  const result = runAll([registryMirror], pod, profileWith(profile), anywhere);
  return { pod: result.pod, outcome: result.outcomes[0]! };
}

function withDind(change: Partial<Container>, golden = "dind-container"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "dind"), { command: undefined, args: undefined, ...change });
  return pod;
}

test.each<[string, Partial<Container>]>([
  ["[dockerd, ...]", { args: ["dockerd", "--host=unix:///var/run/docker.sock"] }],
  ["a path to dockerd", { args: ["/usr/local/bin/dockerd"] }],
  ["no args", {}],
  ["empty args", { args: [] }],
  ["flags alone", { args: ["--mtu=1400"] }],
  ["a command", { command: ["dockerd", "--mtu=1400"] }],
  ["a command with args", { command: ["dockerd"], args: ["--mtu=1400"] }],
  ["the entrypoint as command", { command: ["dockerd-entrypoint.sh"] }],
  ["the entrypoint, then dockerd", { command: ["/usr/local/bin/dockerd-entrypoint.sh"], args: ["dockerd", "-D"] }],
  ["an init process", { command: ["tini", "--"], args: ["dockerd", "-D"] }],
  ["rootless", { image: "docker:28-dind-rootless", args: ["dockerd"] }],
  ["a copy of the image, by digest", { image: "harbor.example.com:8443/hub/library/docker:29-dind@sha256:abc" }],
])("the flag goes to the end of the args: %s", (_form, change) => {
  const { pod, outcome } = run(withDind(change));
  expect(outcome.result).toBe("applied");
  expect(containerOf(pod, "dind")).toMatchObject({
    args: [...(change.args ?? []), flag],
    ...(change.command && { command: change.command }),
  });
});

test.each<[string, Partial<Container>, string]>([
  ["a shell string", { command: ["sh", "-c", "dockerd --mtu=1400"] }, "shell-command"],
  ["a shell string in args", { args: ["/bin/bash", "-ec", "exec dockerd"] }, "shell-command"],
  ["a script", { command: ["/start.sh"] }, "unknown-command"],
  ["another program in args", { args: ["sleep", "infinity"] }, "unknown-command"],
  ["an unknown image's own command", { image: "example.com/ci/dind:7" }, "unknown-entrypoint"],
  ["the end of all flags", { args: ["dockerd", "--"] }, "unknown-command"],
  ["--config-file=", { args: ["dockerd", "--config-file=/d.json"] }, "config-file"],
  ["--config-file in two words", { args: ["dockerd", "--config-file", "/d.json"] }, "config-file"],
])("it is left alone: %s", (_form, change, reason) => {
  const pod = withDind(change);
  const result = run(pod);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test.each<[string, string, object, boolean]>([
  ["the file", "/etc/docker/daemon.json", { configMap: { name: "x" } }, true],
  ["the folder", "/etc/docker/", { configMap: { name: "x" } }, true],
  ["the folder, filled by an init container", "/etc/docker", { emptyDir: {} }, true],
  ["rootless", "/home/rootless/.config/docker", { configMap: { name: "x" } }, true],
  ["a home from elsewhere", "/home/rootless", { persistentVolumeClaim: { claimName: "x" } }, true],
  ["GitHub's copy of /etc", "/etc", { emptyDir: {} }, false],
  ["certificates", "/etc/docker/certs.d", { configMap: { name: "x" } }, false],
])("a mounted daemon.json, by %s at %s", (_how, mountPath, source, counts) => {
  const pod = withDind({ args: ["dockerd"] });
  containerOf(pod, "dind").volumeMounts?.push({ name: "extra", mountPath });
  pod.spec.volumes?.push({ name: "extra", ...source });
  expect(run(pod).outcome).toMatchObject(counts ? { reason: "daemon-json" } : { result: "applied" });
});

test("an init container that writes a daemon.json counts too", () => {
  const pod = withDind({ args: ["dockerd"] });
  pod.spec.initContainers?.push({ name: "x", command: ["sh", "-c", "echo '{}' > /dind-etc/docker/daemon.json"] });
  expect(run(pod).outcome).toMatchObject({ reason: "daemon-json" });
});

test("the DinD container is found by image, by another name, and in either layout; never is it the runner", () => {
  expect(run(withDind({ name: "engine", args: ["dockerd"] })).outcome.result).toBe("applied");
  const renamed = withDind({ name: "engine", image: "example.com/engine:1", args: ["dockerd"] });
  expect(run(renamed).outcome).toMatchObject({ reason: "no-dind" });
  expect(run(renamed, { ...mirrors, docker: { container: "engine" } }).outcome.result).toBe("applied");
  expect(run(goldenPod("dind-sidecar")).outcome.result).toBe("applied");

  const pod = goldenPod("default-mode");
  containerOf(pod, "runner").image = "docker:dind";
  expect(run(pod).outcome).toMatchObject({ reason: "no-dind" });
});

test("an init container called dind that ends is no daemon", () => {
  const pod = goldenPod("default-mode");
  pod.spec.initContainers = [{ name: "dind", image: "docker:dind", args: ["dockerd"] }];
  expect(run(pod).outcome).toMatchObject({ reason: "no-dind" });
});

test("what is there already is not added again, in any spelling", () => {
  const two = {
    registries: { "docker.io": { mirrors: [{ url: "http://a:1" }, { url: "http://b:2/" }, { url: "http://c:3" }] } },
  };
  const pod = withDind({ args: ["dockerd", "--registry-mirror=http://a:1/", "--registry-mirror", "http://b:2"] });
  expect(containerOf(run(pod, two).pod, "dind").args?.slice(4)).toEqual(["--registry-mirror=http://c:3"]);
});

test("insecure registries and mirrors", () => {
  const profile = {
    docker: { mirror: { insecureRegistries: ["10.0.0.0/8"] } },
    registries: { "docker.io": { mirrors: [{ url: "https://m.example.com:8443/hub", insecure: true }] } },
  };
  expect(containerOf(run(withDind({}), profile).pod, "dind").args).toEqual([
    "--registry-mirror=https://m.example.com:8443/hub",
    "--insecure-registry=10.0.0.0/8",
    "--insecure-registry=m.example.com:8443",
  ]);
});

test("the kubelet turns $(HOST_IP) into the node's address, unless the pod means something else by it", () => {
  const profile = { registries: { "docker.io": { mirrors: [{ url: "http://$(HOST_IP):30500" }] } } };
  const dind = containerOf(run(withDind({ env: undefined }), profile).pod, "dind");
  expect(dind.env).toEqual([
    { name: "HOST_IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.hostIP" } } },
  ]);
  expect(kubeletExpand(dind.args?.[0] ?? "", { HOST_IP: "192.0.2.7" })).toBe(
    "--registry-mirror=http://192.0.2.7:30500",
  );

  const own = [{ name: "HOST_IP", value: "192.0.2.9" }];
  const kept = run(withDind({ env: own }), profile);
  expect(kept.outcome).toMatchObject({ reason: "already-there", notes: ["host-ip-taken"] });
});

test.each([
  [{}, "not-configured"],
  [{ ...mirrors, docker: { mirror: { enabled: false } } }, "disabled"],
])("with %j nothing happens: %s", (profile, reason) => {
  expect(run(goldenPod("dind-sidecar"), profile).outcome).toMatchObject({ reason });
});

test("no Docker, no mirror", () => {
  expect(run(goldenPod("kubernetes-mode")).outcome).toMatchObject({ reason: "no-dind" });
});
