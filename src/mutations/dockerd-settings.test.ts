import { expect, test } from "vitest";
import { containerOf, goldenPod, profileWith, runAll, runOne, unrestricted } from "../../test/support/pods.ts";
import type { Container } from "../pod/types.ts";
import { dockerdSettings } from "./dockerd-settings.ts";

const bridge = "--default-network-opt=bridge=com.docker.network.driver.mtu=";

function run(daemon: object, change: Partial<Container> = {}, golden = "dind-sidecar") {
  const before = goldenPod(golden);
  Object.assign(containerOf(before, "dind"), change);
  const { pod, outcome } = runOne(dockerdSettings, before, { docker: { daemon } });
  return { dind: containerOf(pod, "dind"), outcome, unchanged: pod === before };
}

test.each<[string, object, string[], string[]]>([
  ["MTU, for both kinds of network", { mtu: 1400 }, [], ["--mtu=1400", `${bridge}1400`]],
  ["MTU, with one of the two flags already set", { mtu: 1400 }, ["--mtu=1400"], [`${bridge}1400`]],
  ["MTU, with one of the two flags already set as two arguments", { mtu: 1400 }, ["--mtu", "1400"], [`${bridge}1400`]],
  ["bip", { bip: "172.26.0.1/16" }, [], ["--bip=172.26.0.1/16"]],
  [
    "address pools",
    {
      addressPools: [
        { base: "172.30.0.0/16", size: 24 },
        { base: "172.31.0.0/16", size: 24 },
      ],
    },
    ["--default-address-pool=base=172.30.0.0/16,size=24"],
    ["--default-address-pool=base=172.31.0.0/16,size=24"],
  ],
  ["a flag that can be repeated", { extraArgs: ["--dns=10.0.0.2"] }, ["--dns=10.0.0.1"], ["--dns=10.0.0.2"]],
  ["other flags", { extraArgs: ["--storage-driver=overlay2", "--debug"] }, ["--debug"], ["--storage-driver=overlay2"]],
])("flags: %s", (_what, daemon, present, added) => {
  const { dind, outcome } = run(daemon, { args: ["dockerd", ...present] });
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  expect(dind.args).toEqual(["dockerd", ...present, ...added]);
});

test.each<[string, object, string[]]>([
  ["MTU", { mtu: 1400 }, ["--mtu", "1450"]],
  ["MTU of the networks", { mtu: 1400 }, [`${bridge}1450`]],
  ["bip", { bip: "172.26.0.1/16" }, ["--bip=172.27.0.1/16"]],
  ["bip, with another bridge", { bip: "172.26.0.1/16" }, ["--bridge=none"]],
  ["an extra flag", { extraArgs: ["--storage-driver=overlay2"] }, ["--storage-driver", "vfs"]],
  [
    "address pools",
    { addressPools: [{ base: "172.30.0.0/16", size: 24 }] },
    ["--default-address-pool=base=10.0.0.0/8,size=24"],
  ],
])("the pod's own value is kept: %s", (_what, daemon, present) => {
  const { outcome, unchanged } = run(daemon, { args: ["dockerd", ...present] });
  expect(unchanged).toBe(true);
  expect(outcome).toMatchObject({ reason: "already-there", notes: ["flag-kept"] });
});

test("another --default-network-opt does not count as an MTU", () => {
  const { dind } = run({ mtu: 1400 }, { args: ["dockerd", "--default-network-opt=bridge=com.docker.network.x=1"] });
  expect(dind.args?.slice(2)).toEqual(["--mtu=1400", `${bridge}1400`]);
});

test.each([
  ["docker:dind", "docker:29-dind"],
  ["docker.io/library/docker:dind", "docker:29-dind"],
  ["docker:28-dind", "docker:28-dind"],
  ["docker:dind@sha256:abc", "docker:dind@sha256:abc"],
  ["docker:dind-rootless", "docker:dind-rootless"],
  ["example.com/docker:dind", "example.com/docker:dind"],
])("the image %s becomes %s", (image, becomes) => {
  const { dind, outcome } = run({ image: "docker:29-dind" }, { image });
  expect(dind.image).toBe(becomes);
  expect(outcome.notes).toEqual(image === becomes ? ["image-kept"] : []);
});

test("variables are added; existing ones are kept", () => {
  const { dind, outcome } = run({ env: { DOCKER_GROUP_GID: "999", DOCKER_IPTABLES_LEGACY: "1" } });
  expect(dind.env).toEqual([
    { name: "DOCKER_GROUP_GID", value: "123" },
    { name: "DOCKER_IPTABLES_LEGACY", value: "1" },
  ]);
  expect(outcome.notes).toEqual(["env-kept"]);
});

test("resources are set if there are none", () => {
  const resources = { requests: { cpu: "500m" }, limits: { memory: "4Gi" } };
  expect(run({ resources }).dind.resources).toEqual(resources);
  expect(run({ resources }, { resources }).outcome).toMatchObject({ reason: "already-there", notes: [] });
  const own = { limits: { memory: "8Gi" } };
  expect(run({ resources }, { resources: own })).toMatchObject({
    dind: { resources: own },
    outcome: { notes: ["resources-kept"] },
  });
});

test("with a daemon.json, only the flags are left out", () => {
  const daemon = { mtu: 1400, env: { A: "b" } };
  const { dind, outcome } = run(daemon, { args: ["dockerd", "--config-file=/x"] });
  expect(outcome).toMatchObject({ result: "applied", notes: ["flags-left-out", "config-file"] });
  expect(dind.args).toEqual(["dockerd", "--config-file=/x"]);
  expect(run({ mtu: 1400 }, { args: ["dockerd", "--config-file=/x"] }).outcome).toMatchObject({
    reason: "config-file",
  });
});

test.each([
  [{}, "not-configured"],
  [{ mtu: 1400, enabled: false }, "disabled"],
])("%j changes nothing: %s", (daemon, reason) => {
  expect(run(daemon)).toMatchObject({ unchanged: true, outcome: { reason } });
});

test("minApiVersion sets a variable for dockerd, unless the pod sets it", () => {
  const profile = profileWith({ docker: { daemon: { minApiVersion: "1.24" } } });
  const pod = goldenPod("dind-sidecar");
  const after = runAll([dockerdSettings], pod, profile, unrestricted);
  expect(containerOf(after.pod, "dind").env?.at(-1)).toEqual({ name: "DOCKER_MIN_API_VERSION", value: "1.24" });
  containerOf(pod, "dind").env?.push({ name: "DOCKER_MIN_API_VERSION", value: "1.40" });
  const kept = runAll([dockerdSettings], pod, profile, unrestricted);
  expect(kept.outcomes[0]).toMatchObject({ reason: "already-there", notes: ["env-kept"] });
});

test("variables from a Secret or ConfigMap are marked as optional", () => {
  const secretKeyRef = { name: "proxy", key: "url" };
  const configMapKeyRef = { name: "ports", key: "one" };
  const env = { HTTPS_PROXY: { valueFrom: { secretKeyRef } }, PORT: { valueFrom: { configMapKeyRef } } };
  const { dind, outcome } = run({ env });
  expect(outcome).toMatchObject({ result: "applied", notes: [] });
  const added = [
    { name: "HTTPS_PROXY", valueFrom: { secretKeyRef: { ...secretKeyRef, optional: true } } },
    { name: "PORT", valueFrom: { configMapKeyRef: { ...configMapKeyRef, optional: true } } },
  ];
  expect(dind.env).toEqual(expect.arrayContaining(added));
  expect(run({ env }, { env: added }).unchanged).toBe(true);
  expect(run({ env }, { env: [{ name: "PORT", value: "1" }] }).outcome.notes).toEqual(["env-kept"]);
});
