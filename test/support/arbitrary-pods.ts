import * as fc from "fast-check";
import type { Config } from "../../src/config/schema.ts";
import type { Container, Pod } from "../../src/pod/types.ts";
import { allRegistries, configWith, goldenConfigs } from "./pods.ts";

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);

const word = fc.oneof(
  fc.constantFrom(
    "dockerd",
    "dockerd-entrypoint.sh",
    "/usr/local/bin/dockerd",
    "sh",
    "-c",
    "--",
    "tini",
    "/home/runner/run.sh",
  ),
  fc.constantFrom(
    "--mtu=1400",
    "--mtu",
    "1450",
    "--registry-mirror=http://registry-cache:5000",
    "--registry-mirror",
    "--bip=10.1.0.1/24",
  ),
  fc.constantFrom("--config-file=/x", "arc-primer-wait", "$(HOST_IP)", "$$", "daemon.json"),
  fc.string({ maxLength: 12 }),
);
const words = fc.option(fc.array(word, { maxLength: 6 }), { nil: undefined, freq: 3 });

const env = fc.array(
  fc.oneof(
    fc.record({
      name: fc.constantFrom("DOCKER_HOST", "HOST_IP", "ACTIONS_RUNNER_CONTAINER_HOOKS", "A"),
      value: fc.string(),
    }),
    fc.constant({ name: "DOCKER_HOST", value: "unix:///var/run/docker.sock" }),
    fc.constant({ name: "DOCKER_HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }),
  ),
  { maxLength: 4 },
);

const mount = fc.record({
  name: fc.constantFrom("work", "dind-sock", "etc", "missing"),
  mountPath: fc.constantFrom(
    "/var/run",
    "/run",
    "/run/docker.sock",
    "/etc/docker",
    "/etc",
    "/home/runner",
    "/work",
    "/var/run/",
  ),
});

/** Fields that are unknown to arc-primer. */
const unknown = fc.dictionary(
  fc.stringMatching(/^x[a-z]{1,5}$/),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>,
  { maxKeys: 2 },
);

const container = fc
  .record(
    {
      name: fc.oneof(name, fc.constantFrom("runner", "dind")),
      image: fc.constantFrom(
        "docker:dind",
        "docker:28-dind-rootless",
        "ghcr.io/actions/actions-runner:latest",
        "x/y@sha256:z",
        "",
      ),
      command: words,
      args: words,
      env,
      volumeMounts: fc.array(mount, { maxLength: 3 }),
      restartPolicy: fc.constantFrom("Always", undefined),
      startupProbe: fc.constantFrom(undefined, { exec: { command: ["docker", "info"] } }),
      livenessProbe: fc.constantFrom(undefined, undefined, { tcpSocket: { port: 1 } }),
      lifecycle: fc.constantFrom(undefined, undefined, { preStop: { exec: { command: ["true"] } } }),
      resources: fc.constantFrom(undefined, {}, { limits: { cpu: "1" } }),
      securityContext: fc.constantFrom(undefined, { privileged: true }),
      unknown,
    },
    { requiredKeys: ["name", "unknown"] },
  )
  .map(({ unknown: more, ...fields }) => ({ ...fields, ...more }) as unknown as Container);

const anyPods: fc.Arbitrary<Pod> = fc
  .record({
    labels: fc.constantFrom(
      { "actions-ephemeral-runner": "True", "actions.github.com/scale-set-name": "linux" },
      { "actions-ephemeral-runner": "True" },
    ),
    annotations: fc.option(
      fc.dictionary(
        fc.constantFrom("arc-primer.dev/skip", "arc-primer.dev/profile", "arc-primer.dev/status", "other"),
        fc.oneof(fc.string(), fc.constantFrom("true", "other", "{}", '{"applied":["wait-for-docker"]}')),
      ),
      { nil: undefined },
    ),
    containers: fc.uniqueArray(container, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
    initContainers: fc.option(fc.uniqueArray(container, { maxLength: 3, selector: (one) => one.name }), {
      nil: undefined,
    }),
    volumes: fc.option(
      fc.constant([
        { name: "work", emptyDir: {} },
        { name: "dind-sock", emptyDir: {} },
        { name: "etc", emptyDir: {} },
      ]),
      { nil: undefined, freq: 2 },
    ),
    terminationGracePeriodSeconds: fc.constantFrom(undefined, 30, 3600),
    securityContext: fc.constantFrom(undefined, { runAsUser: 1001, runAsNonRoot: true }),
    unknown,
  })
  .map(({ labels, annotations, unknown: more, ...spec }) => {
    const metadata = { name: "linux-abcde", labels, ...(annotations && { annotations }) };
    // Removes undefined values, which JSON does not have.
    return JSON.parse(
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, ...more }, ...more }),
    ) as Pod;
  });

/** The same pod with a runner and without Docker, which random generation produces too rarely. */
function withoutDocker(pod: Pod): Pod {
  const unset = ["DOCKER_HOST", "ACTIONS_RUNNER_CONTAINER_HOOKS"];
  const [first, ...others] = pod.spec.containers;
  const runner: Container = {
    ...first,
    name: "runner",
    env: (first?.env ?? []).filter((variable) => !unset.includes(variable.name)),
  };
  const isOther = ({ name: own, image }: Container) => !["runner", "dind"].includes(own) && !image?.includes("dind");
  const { initContainers, volumes, ...spec } = pod.spec;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: [runner, ...others.filter(isOther)],
      ...(initContainers && { initContainers: initContainers.filter(isOther) }),
      ...(volumes && { volumes: volumes.filter((volume) => volume.name !== "dind-sock") }),
    },
  };
}

/** Pods that ARC might create, and some that no API server would accept. */
export const pods = fc.oneof({ arbitrary: anyPods, weight: 3 }, { arbitrary: anyPods.map(withoutDocker), weight: 1 });

const ownConfigs = fc.constantFrom<Config>(
  configWith({}),
  configWith({ prerequisites: { packages: ["curl", "git=1:2.39*"], script: "echo $(A) $$", onFailure: "fail" } }),
  configWith({}, { mode: "audit" }),
  configWith({ docker: { inject: true, credentials: { secret: "logins" }, gracefulEnd: { gracePeriod: "10m" } } }),
  configWith({
    docker: {
      inject: true,
      injected: { layout: "container", rootless: true },
      daemon: { mtu: 1400, resources: { limits: { memory: "1Gi" } } },
      gracefulEnd: { gracePeriod: "10m" },
    },
    prerequisites: { packages: ["curl"] },
    registries: { "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }] } },
  }),
  configWith({
    runner: { command: ["/start"] },
    docker: {
      mirror: { insecureRegistries: ["10.0.0.0/8"] },
      daemon: {
        mtu: 1400,
        bip: "172.26.0.1/16",
        addressPools: [{ base: "172.30.0.0/16", size: 24 }],
        extraArgs: ["--debug", "--label=$(NAME)"],
        image: "docker:29-dind",
        env: { A: "b" },
        resources: { limits: { memory: "1Gi" } },
      },
    },
    registries: {
      "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }, { url: "http://$(HOST_IP):30500" }] },
    },
  }),
  configWith(allRegistries),
  configWith({
    runner: { command: ["/start"], home: "/work" },
    docker: { imageStore: "containerd" },
    registries: {
      "ghcr.io": { privateCA: true, mirrors: [{ url: "http://$(HOST_IP):5000" }, { url: "https://a/v2/b" }] },
    },
    privateCA: { secret: { name: "corporate-ca" } },
  }),
);

// Includes the configurations of the golden folders, so that settings of a new mutation are covered.
export const configs = fc.oneof(ownConfigs, fc.constantFrom(...goldenConfigs()));
