import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { containerOf, goldenPod, mirrors, runOne } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { registryMirror } from "./registry-mirror.ts";

const flag = "--registry-mirror=http://registry-cache:5000";

const run = (pod: Pod, profile: object = mirrors) => runOne(registryMirror, pod, profile);

function withDind(change: Partial<Container>, golden = "dind-container"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "dind"), { command: undefined, args: undefined, ...change });
  return pod;
}

test.each<[string, Partial<Container>]>([
  ["dockerd with flags", { args: ["dockerd", "--host=unix:///var/run/docker.sock"] }],
  ["a path to dockerd", { args: ["/usr/local/bin/dockerd"] }],
  ["no args", {}],
  ["empty args", { args: [] }],
  ["only flags", { args: ["--mtu=1400"] }],
  ["a command", { command: ["dockerd", "--mtu=1400"] }],
  ["a command with args", { command: ["dockerd"], args: ["--mtu=1400"] }],
  ["the entrypoint as command", { command: ["dockerd-entrypoint.sh"] }],
  ["the entrypoint, then dockerd", { command: ["/usr/local/bin/dockerd-entrypoint.sh"], args: ["dockerd", "-D"] }],
  ["an init process", { command: ["tini", "--"], args: ["dockerd", "-D"] }],
  ["rootless", { image: "docker:28-dind-rootless", args: ["dockerd"] }],
  [
    "a copy of the image in another registry, by digest",
    { image: "harbor.example.com:8443/hub/library/docker:29-dind@sha256:abc" },
  ],
])("the flag is appended to the args: %s", (_form, change) => {
  const { pod, outcome } = run(withDind(change));
  expect(outcome.result).toBe("applied");
  expect(containerOf(pod, "dind")).toMatchObject({
    args: [...(change.args ?? []), flag],
    ...(change.command && { command: change.command }),
  });
});

test.each<[string, Partial<Container>, string]>([
  ["a shell string", { command: ["sh", "-c", "dockerd --mtu=1400 || true"] }, "shell-command"],
  ["a shell string in args", { args: ["/bin/bash", "-ec", "ulimit -n 65536; exec dockerd"] }, "shell-command"],
  ["a script", { command: ["/start.sh"] }, "unknown-command"],
  ["another program in args", { args: ["sleep", "infinity"] }, "unknown-command"],
  ["an unknown image's own command", { image: "example.com/ci/dind:7" }, "unknown-entrypoint"],
  ["a -- argument", { args: ["dockerd", "--"] }, "unknown-command"],
  ["--config-file=", { args: ["dockerd", "--config-file=/d.json"] }, "config-file"],
  ["--config-file as two arguments", { args: ["dockerd", "--config-file", "/d.json"] }, "config-file"],
])("the container is not changed: %s", (_form, change, reason) => {
  const pod = withDind(change);
  const result = run(pod);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test.each<[string, string, object, boolean]>([
  ["the file", "/etc/docker/daemon.json", { configMap: { name: "x" } }, true],
  ["the directory", "/etc/docker/", { configMap: { name: "x" } }, true],
  ["the directory, in an emptyDir that only dockerd mounts", "/etc/docker", { emptyDir: {} }, false],
  ["rootless", "/home/rootless/.config/docker", { configMap: { name: "x" } }, true],
  ["a persistent home directory", "/home/rootless", { persistentVolumeClaim: { claimName: "x" } }, true],
  ["GitHub's copy of /etc", "/etc", { emptyDir: {} }, false],
  ["certificates", "/etc/docker/certs.d", { configMap: { name: "x" } }, false],
])("a volume that may contain daemon.json: %s at %s, %j: %s", (_how, mountPath, source, counts) => {
  const pod = withDind({ args: ["dockerd"] });
  containerOf(pod, "dind").volumeMounts?.push({ name: "extra", mountPath });
  pod.spec.volumes?.push({ name: "extra", ...source });
  expect(run(pod).outcome).toMatchObject(counts ? { reason: "daemon-json" } : { result: "applied" });
});

test.each([
  ["a parent directory and mentions the file", "/etc", "echo '{}' > /x/docker/daemon.json", true],
  ["a parent directory for another purpose", "/etc", "cp -a /etc/. /x/", false],
  ["dockerd's config directory", "/etc/docker", "cp /config/* /x/", true],
  ["a directory that dockerd does not mount", undefined, "echo '{}' > /x/daemon.json", false],
])("another container mounts %s (%s, %s), so daemon.json may exist: %s", (_what, mountPath, text, counts) => {
  const mounts = mountPath === undefined ? [] : [{ name: "shared", mountPath }];
  const pod = withDind({ args: ["dockerd"], volumeMounts: mounts });
  pod.spec.volumes?.push({ name: "shared", emptyDir: {} });
  pod.spec.initContainers?.push({
    name: "x",
    command: ["sh", "-c", text],
    volumeMounts: [{ name: "shared", mountPath: "/x" }],
  });
  expect(run(pod).outcome).toMatchObject(counts ? { reason: "daemon-json" } : { result: "applied" });
});

test.each([
  ["sh", "dockerd --host=unix:///var/run/docker.sock --group=$(DOCKER_GROUP_GID)"],
  ["/bin/bash", "exec /usr/local/bin/dockerd-entrypoint.sh --debug "],
])("%s -c '%s' gets flags as arguments, never as shell text", (shell, text) => {
  const { pod } = run(withDind({ command: [shell, "-c"], args: [text] }));
  const { command, args } = containerOf(pod, "dind");
  expect([command, args]).toEqual([
    [shell, "-c"],
    [`${text} "$@"`, "dockerd", "--registry-mirror=http://registry-cache:5000"],
  ]);
  expect(run(pod).pod).toBe(pod);
});

test.each([
  "dockerd --debug && true",
  "dockerd --label 'a b'",
  "dockerd --group=$GID",
  "dockerd --debug > /dev/null",
  "true; dockerd",
])("the shell string %s is not parsed", (text) => {
  expect(run(withDind({ command: ["sh", "-c", text], args: [] })).outcome).toMatchObject({ reason: "shell-command" });
});

test("of two docker:dind containers, only those that start dockerd get the flags", () => {
  const client = { name: "pruner", image: "docker:dind", command: ["sh", "-c", "docker system prune --force"] };
  const pod = withDind({ name: "engine", args: ["dockerd"] });
  pod.spec.containers.unshift(client);
  expect(run(pod).outcome.result).toBe("applied");
  expect(containerOf(run(pod).pod, "engine").args?.at(-1)).toBe("--registry-mirror=http://registry-cache:5000");
  expect(containerOf(run(pod).pod, "pruner")).toEqual(client);

  pod.spec.containers.push({ name: "second", image: "docker:dind", args: ["dockerd", "--config-file=/x.json"] });
  expect(run(pod).outcome).toMatchObject({ result: "applied", notes: ["config-file"] });
  containerOf(pod, "second").args = ["dockerd"];
  const { pod: both } = run(pod);
  for (const name of ["engine", "second"]) {
    expect(containerOf(both, name).args).toEqual(["dockerd", "--registry-mirror=http://registry-cache:5000"]);
  }
});

test("the DinD container is found by image, command or configured name, in either layout; it is never the runner", () => {
  expect(run(withDind({ name: "engine", args: ["dockerd"] })).outcome.result).toBe("applied");
  const started = withDind({ name: "engine", image: "example.com/engine:1", args: ["dockerd"] });
  expect(run(started).outcome.result).toBe("applied");
  const renamed = withDind({ name: "engine", image: "example.com/engine:1", args: ["--debug"] });
  expect(run(renamed).outcome).toMatchObject({ reason: "no-dind" });
  expect(run(renamed, { ...mirrors, docker: { container: "engine" } }).outcome.result).toBe("applied");
  expect(run(goldenPod("dind-sidecar")).outcome.result).toBe("applied");

  const pod = goldenPod("default-mode");
  containerOf(pod, "runner").image = "docker:dind";
  expect(run(pod).outcome).toMatchObject({ reason: "no-dind" });
});

test("an init container named dind that is not a sidecar is not a daemon", () => {
  const pod = goldenPod("default-mode");
  pod.spec.initContainers = [{ name: "dind", image: "docker:dind", args: ["dockerd"] }];
  expect(run(pod).outcome).toMatchObject({ reason: "no-dind" });
});

test("existing flags are not added again, in whatever form they are written", () => {
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

test("HOST_IP is added so that the kubelet expands $(HOST_IP), unless the pod uses the variable for something else", () => {
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
])("%j changes nothing: %s", (profile, reason) => {
  expect(run(goldenPod("dind-sidecar"), profile).outcome).toMatchObject({ reason });
});

test("without Docker, no mirror is added", () => {
  expect(run(goldenPod("kubernetes-mode")).outcome).toMatchObject({ reason: "no-dind" });
});
