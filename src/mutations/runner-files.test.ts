import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import {
  allRegistries,
  anywhere,
  containerOf,
  goldenPod,
  mirrors,
  profileWith,
  runAll,
} from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import script from "../scripts/place-files.sh";
import { buildkitMirrors } from "./buildkit-mirrors.ts";
import { daggerMirrors } from "./dagger-mirrors.ts";
import type { Mutation } from "../engine/mutation.ts";
import { privateCA } from "./private-ca.ts";

// The three mutations that put files into the runner container.

function run(mutation: Mutation, pod: Pod = goldenPod("dind-sidecar"), profile: object = mirrors) {
  const result = runAll([mutation], pod, profileWith(profile), anywhere);
  const words = containerOf(result.pod, "runner").command?.slice(3) ?? [];
  return { pod: result.pod, outcome: result.outcomes[0]!, words: words.slice(0, words.indexOf("--")) };
}

function withRunner(change: Partial<Container>, golden = "dind-sidecar"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "runner"), change);
  return pod;
}

const all: [string, Mutation, object][] = [
  ["buildkit-mirrors", buildkitMirrors, allRegistries],
  ["dagger-mirrors", daggerMirrors, allRegistries],
  ["private-ca", privateCA, allRegistries],
];

test.each(all)("%s wraps the command, and the second pass finds it", (_name, mutation, profile) => {
  const first = run(mutation, undefined, profile);
  const { command = [] } = containerOf(first.pod, "runner");
  expect(kubeletExpand(command[2] ?? "", { "": "x" })).toBe(script);
  expect(command.at(-1)).toBe("/home/runner/run.sh");
  const second = run(mutation, first.pod, profile);
  expect(second.outcome).toMatchObject({ reason: "already-there" });
  expect(second.pod).toBe(first.pod);
});

test.each(all)("%s: a container without a command, unless the profile names one", (_name, mutation, profile) => {
  const pod = goldenPod("no-command");
  const result = run(mutation, pod, profile);
  expect(result.outcome).toMatchObject({ reason: "no-command" });
  expect(result.pod).toBe(pod);
  const named = { ...profile, runner: { command: ["/start.sh"] } };
  expect(containerOf(run(mutation, pod, named).pod, "runner").command?.at(-1)).toBe("/start.sh");
});

test.each(all)("%s: annotations that are full, and a pod without a runner", (_name, mutation, profile) => {
  const pod = goldenPod("dind-sidecar");
  pod.metadata.annotations = { big: "x".repeat(262_000) };
  expect(run(mutation, pod, profile).outcome).toMatchObject({ reason: "no-room-for-files" });
  const other = { ...profile, runner: { container: "worker" } };
  expect(run(mutation, undefined, other).outcome).toMatchObject({ reason: "no-runner-container" });
});

test("buildx: the file is copied, and its certificates first", () => {
  const { words, pod } = run(buildkitMirrors, undefined, allRegistries);
  expect(words).toEqual([
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
  ["nothing says otherwise", {}, {}, "/home/runner/.docker/buildx", true],
  ["the profile does", {}, { runner: { home: "/work/home" } }, "/work/home/.docker/buildx", true],
  ["the user is root", { securityContext: { runAsUser: 0 } }, {}, "/root/.docker/buildx", true],
  ["HOME", { env: [{ name: "HOME", value: "/h/" }] }, {}, "/h/.docker/buildx", true],
  ["DOCKER_CONFIG", { env: [{ name: "DOCKER_CONFIG", value: "/d" }] }, {}, "/d/buildx", false],
  ["BUILDX_CONFIG", { env: [{ name: "BUILDX_CONFIG", value: "/b" }] }, {}, "/b", false],
])("buildx's folder, when %s", (_what, { env = [], ...change }, more, folder, inHome) => {
  const pod = withRunner(change);
  containerOf(pod, "runner").env?.push(...env);
  const { words } = run(buildkitMirrors, pod, { ...mirrors, ...more });
  expect(words.at(-1)).toBe(`${folder}/buildkitd.default.toml`);
  expect(words.includes("home")).toBe(inHome);
});

test.each<[string, string, Pod, object]>([
  ["switched off", "disabled", goldenPod("dind-sidecar"), { ...mirrors, buildkit: { enabled: false } }],
  ["no registries", "not-configured", goldenPod("dind-sidecar"), {}],
  ["no registries, nor a runner", "not-configured", goldenPod("dind-sidecar"), { runner: { container: "worker" } }],
  ["no Docker", "no-docker", goldenPod("default-mode"), mirrors],
  ["jobs in pods of their own", "kubernetes-mode", goldenPod("kubernetes-mode"), mirrors],
  [
    "a path before /v2",
    "no-usable-mirror",
    goldenPod("dind-sidecar"),
    { registries: { "docker.io": { mirrors: [{ url: "https://nexus.example.com/repository/hub" }] } } },
  ],
  [
    "a variable from elsewhere",
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
    "the user's own file",
    "buildkit-file-mounted",
    withRunner({ volumeMounts: [{ name: "work", mountPath: "/home/runner/.docker/buildx/buildkitd.default.toml" }] }),
    mirrors,
  ],
])("buildx, %s: %s", (_what, reason, pod, profile) => {
  expect(run(buildkitMirrors, pod, profile).outcome).toMatchObject({ reason });
});

test.each<[string, object, object, object]>([
  ["on the node, above the folder", { hostPath: { path: "/cache" } }, {}, { reason: "buildkit-file-mounted" }],
  ["that outlives the pod", { persistentVolumeClaim: { claimName: "x" } }, {}, { reason: "buildkit-file-mounted" }],
  ["of a Secret", { secret: { secretName: "x" } }, {}, { reason: "buildkit-file-mounted" }],
  ["that is new in each pod", { emptyDir: {} }, {}, { result: "applied" }],
  ["beside it", { hostPath: { path: "/" } }, { mountPath: "/home/runner/.docker-x" }, { result: "applied" }],
])("buildx's file and a volume %s: %j", (_what, source, mount, want) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").volumeMounts?.push({ name: "mine", mountPath: "/home/runner/.docker", ...mount });
  pod.spec.volumes?.push({ name: "mine", ...source });
  expect(run(buildkitMirrors, pod).outcome).toMatchObject(want);
});

test("buildx with a Docker elsewhere; some mirrors left out is said", () => {
  const pod = withRunner({ env: [{ name: "DOCKER_HOST", value: "tcp://docker:2375" }] }, "default-mode");
  expect(run(buildkitMirrors, pod, allRegistries).outcome).toMatchObject({
    result: "applied",
    notes: ["mirrors-left-out"],
  });
});

test("Dagger: at the same path in both, mounted where Docker is, copied where the job runs", () => {
  const { words, pod } = run(daggerMirrors, undefined, allRegistries);
  expect(words).toEqual([
    "arc-primer-files",
    "home",
    "/home/runner",
    "copy",
    "/etc/arc-primer/dagger/engine.json",
    "/home/runner/.config/dagger/engine.json",
    "copy",
    "/etc/arc-primer/dagger/ca-certificates/arc-primer.crt",
    "/home/runner/.config/dagger/ca-certificates/arc-primer.crt",
  ]);
  const mount = { name: "arc-primer-dagger", readOnly: true };
  expect(containerOf(pod, "dind").volumeMounts).toContainEqual({ ...mount, mountPath: "/home/runner/.config/dagger" });
  expect(containerOf(pod, "runner").volumeMounts).toContainEqual({ ...mount, mountPath: "/etc/arc-primer/dagger" });
});

test("Dagger: XDG_CONFIG_HOME decides", () => {
  const pod = withRunner({ env: [{ name: "XDG_CONFIG_HOME", value: "/x" }] });
  expect(run(daggerMirrors, pod).words).toEqual([
    "arc-primer-files",
    "copy",
    "/etc/arc-primer/dagger/engine.json",
    "/x/dagger/engine.json",
  ]);
});

test.each(["runner", "dind"])("Dagger, both or neither: %s has a volume of its own there", (name) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, name).volumeMounts?.push({ name: "work", mountPath: "/home/runner/.config/dagger/engine.json" });
  const result = run(daggerMirrors, pod);
  expect(result.outcome).toMatchObject({ reason: "dagger-files-mounted" });
  expect(result.pod).toBe(pod);
});

test("Dagger: a home that both share would get folders of root's", () => {
  const pod = goldenPod("dind-sidecar");
  for (const name of ["runner", "dind"])
    containerOf(pod, name).volumeMounts?.push({ name: "work", mountPath: "/home/runner" });
  expect(run(daggerMirrors, pod).outcome).toMatchObject({ reason: "dagger-files-mounted" });
});

test.each<[string, string, Pod, object]>([
  ["switched off", "disabled", goldenPod("dind-sidecar"), { ...mirrors, dagger: { enabled: false } }],
  ["no registries", "not-configured", goldenPod("dind-sidecar"), {}],
  ["no DinD", "no-dind", goldenPod("default-mode"), mirrors],
])("Dagger, %s: %s", (_what, reason, pod, profile) => {
  expect(run(daggerMirrors, pod, profile).outcome).toMatchObject({ reason });
});

test("certificates for the runner itself only where the profile asks for it, and also without Docker", () => {
  const { words, outcome } = run(privateCA, goldenPod("default-mode"), allRegistries);
  expect(outcome.result).toBe("applied");
  expect(words).toEqual(["arc-primer-files", "trust", "/etc/arc-primer/ca/ca.crt"]);
  const quiet = { privateCA: { secret: { name: "corporate-ca" } } };
  expect(run(privateCA, undefined, quiet).outcome).toMatchObject({ reason: "not-configured" });
  expect(run(privateCA).outcome).toMatchObject({ reason: "not-configured" });
});

test.each<[string, object, string, boolean]>([
  ["/etc/ssl/certs", { hostPath: { path: "/etc/ssl/certs" } }, "trust-in-node", true],
  ["/etc/ssl/certs/", { emptyDir: {} }, "trust-in-node", true],
  ["/etc/ssl", { hostPath: { path: "/etc/ssl" } }, "trust-in-node", true],
  ["/usr/local/share/ca-certificates/corporate", { configMap: { name: "ca" } }, "trust-in-node", true],
  ["/usr/local", { persistentVolumeClaim: { claimName: "tools" } }, "trust-in-node", true],
  ["/usr/local/share", { emptyDir: {} }, "trust", false],
  ["/etc/ssl/private", { secret: { secretName: "x" } }, "trust", false],
])("the system's store is left alone where it is a volume: %s, %j", (mountPath, source, word, noted) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, "runner").volumeMounts?.push({ name: "mine", mountPath });
  pod.spec.volumes?.push({ name: "mine", ...source });
  const { words, outcome } = run(privateCA, pod, allRegistries);
  expect(words).toEqual(["arc-primer-files", word, "/etc/arc-primer/ca/ca.crt"]);
  expect(outcome).toMatchObject({ result: "applied", notes: noted ? ["system-store-mounted"] : [] });
});

test("all three nest, each text is carried once, and what is not ours is in place", () => {
  const pod = goldenPod("dind-sidecar");
  const list = [buildkitMirrors, daggerMirrors, privateCA];
  const result = runAll(list, pod, profileWith(allRegistries), anywhere);
  expect(result.outcomes.map((outcome) => outcome.result)).toEqual(["applied", "applied", "applied"]);
  expect(Object.keys(result.pod.metadata.annotations ?? {}).filter((key) => key.startsWith("arc-primer.dev/"))).toEqual(
    ["arc-primer.dev/buildkitd", "arc-primer.dev/ca", "arc-primer.dev/dagger-engine"],
  );
});

test("all three share one wrapper, also where another webhook has moved the command to args", () => {
  const pod = goldenPod("dind-sidecar");
  const profile = profileWith(allRegistries);
  const first = runAll([buildkitMirrors], pod, profile, anywhere).pod;
  const moved = withRunner({});
  Object.assign(containerOf(moved, "runner"), { command: ["/launcher"], args: containerOf(first, "runner").command });
  for (const [before, key] of [
    [first, "command"],
    [moved, "args"],
  ] as const) {
    const after = runAll([buildkitMirrors, daggerMirrors, privateCA], before, profile, anywhere).pod;
    const words = containerOf(after, "runner")[key] ?? [];
    expect(words.filter((word) => kubeletExpand(word, { "": "x" }) === script)).toHaveLength(1);
    expect(words.filter((word) => word === "home")).toHaveLength(1);
    expect(words).toEqual(expect.arrayContaining(["/home/runner/.config/dagger/engine.json", "trust"]));
    expect(words.at(-2)).toBe("--");
    const again = runAll([buildkitMirrors, daggerMirrors, privateCA], after, profile, anywhere).pod;
    expect(again).toBe(after);
  }
});

test("the runner's trust stays as the first pass put it, when another webhook mounts something at the system's store", () => {
  const profile = profileWith(allRegistries);
  const first = runAll([privateCA], goldenPod("dind-sidecar"), profile, anywhere).pod;
  containerOf(first, "runner").volumeMounts?.push({ name: "work", mountPath: "/etc/ssl/certs" });
  const second = runAll([privateCA], first, profile, anywhere);
  expect(second.pod).toBe(first);
  expect(second.outcomes[0]).toMatchObject({ reason: "already-there", notes: [] });
});
