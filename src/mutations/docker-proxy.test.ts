import { expect, test } from "vitest";
import { containerOf, goldenPod, mirrors, runOne } from "../../test/support/pods.ts";
import type { EnvVar, Pod } from "../pod/types.ts";
import { dockerProxy } from "./docker-proxy.ts";

const secret = (name: string): EnvVar => ({ name, valueFrom: { secretKeyRef: { name: "proxy", key: name } } });

function run(pod: Pod, more: object = {}, proxy: object = { enabled: true }) {
  return runOne(dockerProxy, pod, { ...mirrors, ...more, docker: { proxy } });
}

function withProxy(...env: EnvVar[]): Pod {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").env?.push(...env);
  return pod;
}

const added = (pod: Pod) => containerOf(pod, "dind").env?.slice(1);

test("ARC's variables come from a Secret, so the kubelet expands NO_PROXY", () => {
  const { pod, wrapperArgs } = run(withProxy(secret("http_proxy"), secret("https_proxy"), secret("no_proxy")));
  expect(added(pod)).toEqual([
    secret("http_proxy"),
    secret("https_proxy"),
    { ...secret("no_proxy"), name: "ARC_PRIMER_no_proxy" },
    { name: "no_proxy", value: "$(ARC_PRIMER_no_proxy),registry-cache:5000" },
  ]);
  expect(wrapperArgs).toEqual(["arc-primer-docker-proxies", "no-proxy=registry-cache:5000"]);
  expect(run(pod).outcome).toMatchObject({ reason: "already-there", notes: [] });
});

test.each<[string, EnvVar[], object, EnvVar[]]>([
  [
    "a value",
    [
      { name: "HTTPS_PROXY", value: "http://proxy:3128" },
      { name: "NO_PROXY", value: ".svc" },
    ],
    {},
    [
      { name: "HTTPS_PROXY", value: "http://proxy:3128" },
      { name: "NO_PROXY", value: ".svc,registry-cache:5000" },
    ],
  ],
  [
    "none",
    [{ name: "https_proxy", value: "http://proxy:3128" }],
    {},
    [
      { name: "https_proxy", value: "http://proxy:3128" },
      { name: "no_proxy", value: "registry-cache:5000" },
    ],
  ],
  [
    "a value, and no mirror",
    [{ name: "https_proxy", value: "x" }],
    { registries: {} },
    [{ name: "https_proxy", value: "x" }],
  ],
  [
    "none, and a mirror on the node",
    [{ name: "https_proxy", value: "x" }],
    { registries: { "docker.io": { mirrors: [{ url: "http://$(HOST_IP):5000" }] } } },
    [
      { name: "HOST_IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.hostIP" } } },
      { name: "https_proxy", value: "x" },
      { name: "no_proxy", value: "$(HOST_IP):5000" },
    ],
  ],
])("NO_PROXY of the runner: %s", (_what, env, more, want) => {
  expect(added(run(withProxy(...env), more).pod)).toEqual(want);
});

test("variables that the DinD container sets are kept, in upper or lower case", () => {
  const pod = withProxy({ name: "https_proxy", value: "http://proxy:3128" });
  containerOf(pod, "dind").env?.push({ name: "HTTPS_PROXY", value: "http://other:3128" });
  const { pod: after, outcome } = run(pod);
  expect(outcome).toMatchObject({ result: "applied", notes: ["env-kept"] });
  expect(added(after)?.map(({ name }) => name)).toEqual(["HTTPS_PROXY", "no_proxy"]);
});

test("builds can be excluded; if another volume has Docker's config, dockerd still gets the proxy", () => {
  const proxy = { name: "https_proxy", value: "http://proxy:3128" };
  expect(run(withProxy(proxy), {}, { enabled: true, builds: false }).wrapperArgs).toEqual([]);
  const pod = withProxy(proxy);
  containerOf(pod, "runner").volumeMounts?.push({ name: "c", mountPath: "/home/runner/.docker/config.json" });
  pod.spec.volumes?.push({ name: "c", secret: { secretName: "c" } });
  expect(run(pod).outcome).toMatchObject({ result: "applied", notes: ["docker-config-mounted"] });
});

test.each<[string, Pod, object, string]>([
  ["it is not enabled", withProxy({ name: "https_proxy", value: "x" }), {}, "not-configured"],
  ["no proxy", goldenPod("dind-sidecar"), { enabled: true }, "no-proxy"],
  ["no DinD", goldenPod("default-mode"), { enabled: true }, "no-dind"],
])("not changed: %s", (_why, pod, proxy, reason) => {
  expect(run(pod, {}, proxy).outcome).toMatchObject({ reason });
});
