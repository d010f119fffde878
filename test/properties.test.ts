import * as fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { expect, test } from "vitest";
import { createAdmit } from "../src/webhook/admit.ts";
import { frozen } from "../src/config/frozen.ts";
import { admissionReview, patchOf, patched } from "../src/cli/admission-client.ts";
import type { AdmissionAnswer } from "../src/cli/admission-client.ts";
import type { Config } from "../src/config/schema.ts";
import { createLogger } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { mutations } from "../src/mutations/index.ts";
import { brokenInvariants } from "../src/engine/invariants.ts";
import type { Container, Pod } from "../src/pod/types.ts";
import { createPrime } from "../src/engine/prime.ts";
import { kubeletExpand } from "./support/expand.ts";
import { allRegistries, configWith, goldenConfigs } from "./support/pods.ts";

// What must hold for every pod, not only for those that somebody thought of.

const runs = { numRuns: 500 };
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

/** Fields that arc-primer has never heard of. */
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
    // As JSON has it: no undefined.
    return JSON.parse(
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, ...more }, ...more }),
    ) as Pod;
  });

/** The same pod with a runner and no Docker, which chance alone makes too seldom. */
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

const pods = fc.oneof({ arbitrary: anyPods, weight: 3 }, { arbitrary: anyPods.map(withoutDocker), weight: 1 });

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

// Those of the golden folders as well, so that a new mutation's settings are among them.
const configs = fc.oneof(ownConfigs, fc.constantFrom(...goldenConfigs()));

const prime = createPrime({ mutations, version: "1" });

function admitter(config: Config) {
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const admit = createAdmit({ config: () => config, prime, log, metrics, clock: () => 0 });
  return (object: unknown) =>
    JSON.parse(admit(admissionReview(object, "arc-runners"), "privileged")) as AdmissionAnswer;
}

/** Each container that came in, and what became of it. */
function pairs(before: Pod, after: Pod): { came: Container; left: Container }[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (before.spec[list] ?? []).map((came, index) => ({ came, left: after.spec[list]![index]! })),
  );
}

test("every pod is admitted; the patch makes of it exactly the pod that render shows; nothing that came in is changed", () => {
  fc.assert(
    fc.property(pods, configs, (came, config) => {
      const pod = frozen(structuredClone(came));
      const copy = structuredClone(pod);
      const answer = admitter(config)(pod);
      expect(answer.response.allowed).toBe(true);
      const { pod: want } = prime(pod, { namespace: "arc-runners", podSecurity: "privileged", config });
      expect(patched(pod, answer)).toEqual(want);
      expect(pod).toEqual(copy);
    }),
    runs,
  );
});

test("the second patch is empty, and so is one after another webhook added a sidecar in front", () => {
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const admit = admitter(config);
      const first = patched(pod, admit(pod));
      expect(patchOf(admit(first))).toEqual([]);
      const sidecar = { name: "zz-proxy", image: "proxy:1" };
      const later = { ...first, spec: { ...first.spec, containers: [sidecar, ...first.spec.containers] } };
      expect(patchOf(admit(later))).toEqual([]);
    }),
    runs,
  );
});

/** What we add is ours by its name, or DinD as ARC calls it. */
const ours = /^arc-primer-|^(work|dind-sock|dind-externals|dind-etc|dind-home|dind|init-dind-(externals|rootless))$/;

/** The names of all containers and volumes. */
function names({ spec }: Pod): string[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.volumes ?? [])].map((one) => one.name);
}

/** The names of the privileged containers that were added. */
function privileged(before: Pod, after: Pod): string[] {
  const came = names(before);
  return [...(after.spec.initContainers ?? []), ...after.spec.containers]
    .filter((one) => !came.includes(one.name) && one.securityContext?.privileged)
    .map((one) => one.name);
}

test("the invariants hold: names, order, volumes, mounts, restart policies, privileges", () => {
  const untouched = ({ name: own, restartPolicy, securityContext, livenessProbe }: Container) =>
    ({ own, restartPolicy, securityContext, livenessProbe }) as const;
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      // Ours come after all that was there.
      const first = <T>(list: readonly T[] = [], count = 0) => list.slice(0, count);
      expect(first(after.spec.volumes, pod.spec.volumes?.length)).toEqual(pod.spec.volumes ?? []);
      for (const { came, left } of pairs(pod, after)) {
        expect(untouched(left)).toEqual(untouched(came));
        expect(first(left.volumeMounts, came.volumeMounts?.length)).toEqual(came.volumeMounts ?? []);
      }
      expect(privileged(pod, after).every((one) => one === "dind" && config.profiles["default"]?.docker.inject)).toBe(
        true,
      );
      const came = names(pod);
      for (const one of names(after).filter((now) => !came.includes(now))) expect(one).toMatch(ours);
      expect(after.spec.terminationGracePeriodSeconds ?? 30).toBeGreaterThanOrEqual(
        pod.spec.terminationGracePeriodSeconds ?? 30,
      );
      // By reference, as the engine judges: so on its own result, not on one that went through JSON.
      const primed = prime(pod, { namespace: "arc-runners", podSecurity: "privileged", config }).pod as Pod;
      expect(
        brokenInvariants(
          pod,
          primed,
          mutations.flatMap(({ may = [] }) => may),
        ),
      ).toEqual([]);
    }),
    runs,
  );
});

test("unknown fields survive: all that a patch touches is commands, args, env, images, resources, probes, mounts, hooks, the grace period, our annotations, and what it adds", () => {
  const touched =
    /^\/metadata\/annotations(\/arc-primer\.dev~1[\w-]+)?$|^\/spec\/(initContainers|containers)\/\d+\/(command|args|env|image|resources|startupProbe|volumeMounts|lifecycle)(\/|$)|^\/spec\/terminationGracePeriodSeconds$/;
  const added = /^\/spec\/(initContainers|containers|volumes)(\/\d+)?$/;
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      for (const { op, path } of patchOf(admitter(config)(pod))) {
        expect(op === "add" && added.test(path) ? "ours" : path).toMatch(new RegExp(`^ours$|${touched.source}`));
      }
    }),
    runs,
  );
});

/** A shell string that only starts dockerd may hand on the words behind it: that is the one change to a word. */
function withoutHandingOn(left: Container, came: Container): Container {
  const before = [...(came.command ?? []), ...(came.args ?? [])];
  const undo = (text: string) =>
    !before.includes(text) && /dockerd.* "\$@"$/s.test(text) ? text.replace(/ "\$@"$/, "") : text;
  return {
    ...left,
    ...(left.command && { command: left.command.map(undo) }),
    ...(left.args && { args: left.args.map(undo) }),
  };
}

test("what was in a container's args and env is still there; its command is still run, last", () => {
  fc.assert(
    fc.property(pods, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      for (const { came, left: found } of pairs(pod, after)) {
        const left = withoutHandingOn(found, came);
        expect(left.args?.slice(0, came.args?.length ?? 0) ?? []).toEqual(came.args ?? []);
        expect(left.env?.slice(0, came.env?.length ?? 0) ?? []).toEqual(came.env ?? []);
        const command = came.command ?? [];
        expect(left.command?.slice(left.command.length - command.length) ?? []).toEqual(command);
      }
    }),
    runs,
  );
});

test("after the kubelet's expansion, what we added to command and args is what we meant", () => {
  const withFlags = pods.map((pod) => ({ ...pod, metadata: { ...pod.metadata, annotations: {} } }));
  fc.assert(
    fc.property(withFlags, configs, (pod, config) => {
      const after = patched(pod, admitter(config)(pod));
      for (const { came, left } of pairs(pod, after)) {
        const added = (left.args ?? []).slice(came.args?.length ?? 0);
        const values = { HOST_IP: "192.0.2.1", NAME: "label" };
        for (const flag of added) {
          const meant = flag.replace("$(HOST_IP)", "192.0.2.1").replace("$(NAME)", "label");
          expect(kubeletExpand(flag, values)).toBe(meant);
        }
      }
    }),
    runs,
  );
});

test("any JSON at all in the place of the pod is admitted", () => {
  fc.assert(
    fc.property(fc.jsonValue() as fc.Arbitrary<unknown>, configs, (object, config) => {
      const answer = admitter(config)(object);
      expect(answer.response.allowed).toBe(true);
      expect(patchOf(answer)).toEqual([]);
    }),
    runs,
  );
});

test("any JSON at all in the place of one part of a runner pod is admitted, and a patch can be applied", () => {
  const paths = [
    "/metadata/labels",
    "/metadata/annotations",
    "/metadata/name",
    "/spec/containers",
    "/spec/containers/0",
  ];
  const parts = ["command", "args", "env", "image", "name", "volumeMounts", "resources"].map(
    (key) => `/spec/containers/0/${key}`,
  );
  const anywhere = fc.constantFrom(
    ...paths,
    ...parts,
    "/spec/volumes",
    "/spec/initContainers",
    "/spec/os",
    "/spec",
    "/metadata",
  );
  fc.assert(
    fc.property(pods, anywhere, fc.jsonValue() as fc.Arbitrary<unknown>, configs, (pod, path, value, config) => {
      const odd = jsonPatch.applyPatch(structuredClone(pod), [{ op: "add", path, value }]).newDocument;
      const answer = admitter(config)(odd);
      expect(answer.response.allowed).toBe(true);
      patched(odd, answer);
    }),
    runs,
  );
});
