import { expect, test } from "vitest";
import { containerOf, goldenPod, profileWith, runAll, runOne, unrestricted } from "../../test/support/pods.ts";
import { kubeletExpand } from "../../test/support/expand.ts";
import type { Container, Pod } from "../pod/types.ts";
import prepareRootless from "../scripts/prepare-rootless.sh";
import { mutations } from "./index.ts";
import { injectDocker } from "./inject-docker.ts";
import type { PodSecurity } from "../pod/pod-security.ts";

const run = (pod: Pod, docker: object = {}, podSecurity: PodSecurity = "privileged") =>
  runOne(injectDocker, pod, { docker: { inject: true, ...docker } }, { podSecurity });

/** A container without the API server's defaults and without the service account's token. */
function withoutDefaults({ startupProbe, resources, volumeMounts, env, ...container }: Container) {
  const {
    terminationMessagePath: _path,
    terminationMessagePolicy: _policy,
    imagePullPolicy: _pull,
    ...rest
  } = container;
  const { timeoutSeconds: _timeout, successThreshold: _threshold, ...probe } = startupProbe ?? {};
  return {
    ...rest,
    ...(startupProbe && { startupProbe: probe }),
    ...(Object.keys(resources ?? {}).length > 0 && { resources }),
    volumeMounts: volumeMounts?.filter(({ name }) => !name.startsWith("kube-api-access")),
    env: env?.toSorted((a, b) => a.name.localeCompare(b.name)),
  };
}

test.each([
  ["sidecar", "dind-sidecar"],
  ["container", "dind-container"],
])("%s: the added parts equal those of ARC's chart", (layout, golden) => {
  const { pod, outcome } = run(goldenPod("default-mode"), { injected: { layout } });
  expect(outcome).toEqual({ mutation: "inject-docker", result: "applied", notes: [] });
  const want = goldenPod(golden);
  expect(pod.spec.initContainers?.map(withoutDefaults)).toEqual(want.spec.initContainers?.map(withoutDefaults));
  expect(pod.spec.containers.map(withoutDefaults)).toEqual(want.spec.containers.map(withoutDefaults));
  const byName = (one: Pod) => one.spec.volumes?.toSorted((a, b) => a.name.localeCompare(b.name));
  expect(byName(pod)).toEqual(byName(want));
  expect(run(pod, { injected: { layout } }).outcome).toMatchObject({ reason: "already-there" });
});

test("the init container has the runner's pull policy; the DinD container has the default of its tag", () => {
  const { pod } = run(goldenPod("default-mode"));
  expect(containerOf(pod, "init-dind-externals").imagePullPolicy).toBe("Always");
  expect(containerOf(pod, "dind").imagePullPolicy).toBeUndefined();
});

test("in the same pass, the other mutations treat the added DinD like any other", () => {
  const profile = profileWith({
    docker: { inject: true, daemon: { mtu: 1400 }, gracefulEnd: { gracePeriod: "5m" } },
    registries: { "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }] } },
    prerequisites: { packages: ["git"] },
  });
  const { pod, outcomes } = runAll(mutations, goldenPod("default-mode"), profile, unrestricted);
  expect(outcomes.filter(({ result }) => result === "applied").map(({ mutation }) => mutation)).toEqual([
    "inject-docker",
    "graceful-end",
    "wait-for-docker",
    "registry-mirror",
    "dockerd-settings",
    "buildkit-mirrors",
    "dagger-mirrors",
    "prerequisites",
  ]);
  expect(containerOf(pod, "dind").args).toContain("--mtu=1400");
  expect(containerOf(pod, "dind").startupProbe).toBeUndefined();
  expect(runAll(mutations, pod, profile, unrestricted).pod).toBe(pod);
});

test.each<[string, Pod, object, string]>([
  ["it is not enabled", goldenPod("default-mode"), { inject: false }, "not-configured"],
  ["there is a DinD", goldenPod("dind-sidecar"), {}, "already-there"],
  ["kubernetes mode", goldenPod("kubernetes-mode"), {}, "kubernetes-mode"],
  ["kubernetes-novolume mode", goldenPod("kubernetes-novolume-mode"), {}, "kubernetes-mode"],
  [
    "DOCKER_HOST",
    defaultPod(({ env = [] }) => env.push({ name: "DOCKER_HOST", value: "tcp://docker:2375" })),
    {},
    "docker-elsewhere",
  ],
  [
    "the node's socket",
    defaultPod(({ volumeMounts }) => volumeMounts?.push({ name: "node", mountPath: "/var/run/docker.sock" })),
    {},
    "docker-elsewhere",
  ],
  [
    "a volume at /run",
    defaultPod(({ volumeMounts }) => volumeMounts?.push({ name: "run", mountPath: "/run/" })),
    {},
    "docker-elsewhere",
  ],
  [
    "a volume where the rootless socket would be",
    defaultPod(({ volumeMounts }) => volumeMounts?.push({ name: "run", mountPath: "/run/user/1001" })),
    { injected: { rootless: true } },
    "docker-elsewhere",
  ],
  [
    "a work directory with subPathExpr",
    defaultPod(({ volumeMounts }) => (volumeMounts![0] = { ...volumeMounts![0]!, subPathExpr: "$(POD_NAME)" })),
    {},
    "work-subpath",
  ],
  [
    "a volume with the same name",
    defaultPod((_, { spec }) => spec.volumes?.push({ name: "dind-sock", hostPath: { path: "/" } })),
    {},
    "name-taken",
  ],
  [
    "a work directory at a path that dockerd needs",
    defaultPod(({ volumeMounts }) => (volumeMounts![0] = { ...volumeMounts![0]!, mountPath: "/etc/" })),
    { injected: { rootless: true } },
    "name-taken",
  ],
  [
    "a container with the same name",
    defaultPod((_, { spec }) => (spec.initContainers = [{ name: "dind", image: "x" }])),
    {},
    "name-taken",
  ],
  ["the host network", defaultPod((_, { spec }) => (spec.hostNetwork = true)), {}, "host-network"],
  [
    "a privileged runner",
    defaultPod((runner) => (runner.securityContext = { privileged: true })),
    {},
    "runner-privileged",
  ],
  ["sysbox", defaultPod((_, { spec }) => (spec.runtimeClassName = "sysbox-runc")), {}, "runner-privileged"],
  ["no command", defaultPod((runner) => delete runner.command), {}, "no-command"],
  [
    "a command that does not show the runner's directory",
    defaultPod((runner) => Object.assign(runner, { image: "example.com/runner:1", command: ["/usr/local/bin/start"] })),
    {},
    "externals-unknown",
  ],
  ["no runner container", defaultPod((runner) => (runner.name = "main")), {}, "no-runner-container"],
])("does not apply: %s", (_why, pod, docker, reason) => {
  const result = run(pod, docker);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test.each<[string[], string]>([
  [["/home/gha/actions-runner/run.sh", "--once"], "/home/gha/actions-runner"],
  [["bash", "-c", "sudo chown runner /work; exec /opt/runner/run.sh"], "/opt/runner"],
  [["/opt/runner/bin/Runner.Listener", "run"], "/opt/runner"],
])("%j: the externals and the work directory are in %s", (command, root) => {
  const { pod } = run(
    defaultPod((runner) => Object.assign(runner, { image: "example.com/runner:1", command, volumeMounts: [] })),
  );
  expect(containerOf(pod, "init-dind-externals").args?.[1]).toBe(`${root}/externals/.`);
  const paths = containerOf(pod, "dind").volumeMounts?.map(({ mountPath }) => mountPath);
  expect(paths).toEqual(expect.arrayContaining([`${root}/externals`, `${root}/_work`]));
});

test("GitHub's image has a fixed runner directory; for other images, it is derived from the command of the pod or the profile", () => {
  const own = defaultPod((runner) => (runner.command = ["/usr/local/bin/start"]));
  expect(containerOf(run(own).pod, "init-dind-externals").args?.[1]).toBe("/home/runner/externals/.");
  const none = defaultPod((runner) => {
    runner.image = "example.com/runner:1";
    delete runner.command;
  });
  const profile = profileWith({ docker: { inject: true }, runner: { command: ["/opt/runner/run.sh"] } });
  const { pod } = runAll([injectDocker], none, profile, unrestricted);
  expect(containerOf(pod, "init-dind-externals").args?.[1]).toBe("/opt/runner/externals/.");
});

test.each<PodSecurity>(["baseline", "restricted"])(
  "does not apply under Pod Security %s, which would reject it",
  (level) => {
    expect(run(goldenPod("default-mode"), {}, level).outcome).toMatchObject({ reason: "privilege-forbidden" });
    expect(run(goldenPod("default-mode"), { injected: { rootless: true } }, level).outcome).toMatchObject({
      reason: "privilege-forbidden",
    });
  },
);

test("a missing work directory is added as in ARC; an existing one is mounted in dockerd as in the runner", () => {
  const without = defaultPod((runner, { spec }) => {
    runner.volumeMounts = [];
    spec.volumes = [];
  });
  const { pod } = run(without);
  expect(pod.spec.volumes).toContainEqual({ name: "work", emptyDir: {} });
  expect(containerOf(pod, "runner").volumeMounts).toContainEqual({ name: "work", mountPath: "/home/runner/_work" });

  const own = { name: "disk", mountPath: "/home/runner/_work/", subPath: "a" };
  const elsewhere = defaultPod((runner, { spec }) => {
    runner.volumeMounts = [own];
    spec.volumes = [{ name: "disk", emptyDir: {} }];
  });
  const { pod: after } = run(elsewhere);
  expect(containerOf(after, "dind").volumeMounts?.[0]).toEqual(own);
  expect(after.spec.volumes?.map(({ name }) => name)).toEqual(["disk", "dind-sock", "dind-externals"]);
});

test("resources come from the settings, else from the runner, so that a quota on limits does not reject the pod", () => {
  const limits = { cpu: "1", memory: "1Gi" };
  const pod = defaultPod((runner) => (runner.resources = { limits }));
  const own = { limits: { memory: "8Gi" } };
  for (const layout of ["sidecar", "container"]) {
    expect(containerOf(run(pod, { injected: { layout } }).pod, "dind").resources).toEqual({ limits });
  }
  expect(containerOf(run(pod, { daemon: { resources: own } }).pod, "dind").resources).toEqual(own);
  expect(containerOf(run(pod, { daemon: { resources: own } }).pod, "init-dind-externals").resources).toEqual({
    limits,
  });
  const rootless = run(pod, { injected: { rootless: true }, daemon: { resources: own, image: "x/docker:dind" } }).pod;
  expect(containerOf(rootless, "init-dind-rootless")).toMatchObject({ resources: own, image: "x/docker:dind" });
  const off = { daemon: { enabled: false, resources: own, image: "x/docker:dind" } };
  expect(containerOf(run(pod, off).pod, "dind")).toMatchObject({ resources: { limits }, image: "docker:dind" });
});

test("the runner's devices are not requested twice, and pod-level limits are not exceeded", () => {
  const gpu = defaultPod((runner) => (runner.resources = { limits: { "nvidia.com/gpu": "1", memory: "1Gi" } }));
  expect(containerOf(run(gpu).pod, "dind").resources).toEqual({ limits: { memory: "1Gi" } });
  const limited = defaultPod((runner, { spec }) => {
    runner.resources = { requests: { memory: "1Gi" } };
    spec.resources = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };
  });
  for (const daemon of [{}, { resources: { limits: { memory: "8Gi" } } }]) {
    expect(containerOf(run(limited, { daemon }).pod, "dind").resources).toBeUndefined();
  }
});

test("dockerd gets ARC's proxy, but not the runner's registration", () => {
  const proxy = { name: "https_proxy", valueFrom: { secretKeyRef: { name: "proxy", key: "https_proxy" } } };
  const { pod } = run(defaultPod(({ env }) => env?.push(proxy)));
  expect(containerOf(pod, "dind").env).toEqual([{ name: "DOCKER_GROUP_GID", value: "123" }, proxy]);
  expect(JSON.stringify([pod.spec.initContainers])).not.toContain("JITCONFIG");
});

test("in a pod that runs as another user, dockerd still runs as root, and the copy runs as the runner's user", () => {
  const context = { runAsUser: 1001, runAsGroup: 1001, runAsNonRoot: true };
  const pod = defaultPod((runner, { spec }) => {
    spec.securityContext = context;
    runner.securityContext = { ...context, capabilities: { add: ["SYS_ADMIN"] } };
  });
  const { pod: after } = run(pod);
  const root = { privileged: true, runAsUser: 0, runAsGroup: 0, runAsNonRoot: false };
  expect(containerOf(after, "dind").securityContext).toEqual(root);
  expect(containerOf(after, "init-dind-externals").securityContext).toEqual(context);
});

test("rootless: the kubelet's expansion does not change the script, and dockerd runs as the runner's user", () => {
  const { pod } = run(goldenPod("default-mode"), { injected: { rootless: true } });
  const { command = [] } = containerOf(pod, "init-dind-rootless");
  expect(kubeletExpand(command[2] ?? "", { uid: "x" })).toBe(prepareRootless);
  expect(containerOf(pod, "dind")).toMatchObject({
    image: "docker:dind-rootless",
    securityContext: { privileged: true, runAsUser: 1001, runAsGroup: 1001 },
  });
});

/** The pod of ARC's default mode, with a change. */
function defaultPod(change: (runner: Container, pod: Pod) => unknown): Pod {
  const pod = goldenPod("default-mode");
  change(containerOf(pod, "runner"), pod);
  return pod;
}
