import { expect, test } from "vitest";
import { kubeletExpand } from "../../test/support/expand.ts";
import { containerOf, goldenPod, profileWith, runAll, runOne, unrestricted } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import script from "../scripts/docker-credentials.sh";
import { dockerCredentials } from "./docker-credentials.ts";
import { mutations } from "./index.ts";

const name = "arc-primer-docker-credentials";

const run = (pod: Pod, credentials: object = { secret: "logins" }, more: object = {}) =>
  runOne(dockerCredentials, pod, { docker: { credentials }, ...more });

test("the Secret is mounted only into the runner, read-only, and is optional", () => {
  const { pod } = run(goldenPod("dind-sidecar"));
  expect(pod.spec.volumes?.at(-1)).toEqual({
    name,
    secret: {
      secretName: "logins",
      optional: true,
      defaultMode: 0o444,
      items: [{ key: ".dockerconfigjson", path: "config.json" }],
    },
  });
  const mounting = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].filter(({ volumeMounts }) =>
    volumeMounts?.some((mount) => mount.name === name),
  );
  expect(mounting.map((container) => container.name)).toEqual(["runner"]);
  expect(containerOf(pod, "runner").volumeMounts?.at(-1)).toEqual({
    name,
    mountPath: "/arc-primer/docker-credentials",
    readOnly: true,
  });
  expect(run(pod).outcome).toMatchObject({ reason: "already-there" });
});

test("the script gets the file and the Secret's name as arguments, and the kubelet's expansion does not change it", () => {
  const { command = [] } = containerOf(run(goldenPod("default-mode")).pod, "runner");
  expect(command.slice(3)).toEqual([
    name,
    "file=/arc-primer/docker-credentials/config.json",
    "secret=logins",
    "--",
    "/home/runner/run.sh",
  ]);
  const names = [...script.matchAll(/\$\(([^)]*)\)/g)].map(([, one]) => one ?? "");
  expect(kubeletExpand(command[2] ?? "", Object.fromEntries(names.map((one) => [one, "REPLACED"])))).toBe(script);
});

test("the logins are added before the wait for Docker", () => {
  const profile = profileWith({ docker: { credentials: { secret: "logins" } } });
  const { pod } = runAll(mutations, goldenPod("dind-sidecar"), profile, unrestricted);
  const command = containerOf(pod, "runner").command ?? [];
  expect(command.indexOf(name)).toBeLessThan(command.indexOf("arc-primer-wait"));
});

test.each<[string, object, string]>([
  ["dind-sidecar", {}, "not-configured"],
  ["dind-sidecar", { secret: "logins", enabled: false }, "disabled"],
  ["kubernetes-mode", { secret: "logins" }, "kubernetes-mode"],
  ["no-command", { secret: "logins" }, "no-command"],
])("%s with %j is not changed: %s", (golden, credentials, reason) => {
  const pod = goldenPod(golden);
  const result = run(pod, credentials);
  expect(result.outcome).toMatchObject({ result: "skipped", reason });
  expect(result.pod).toBe(pod);
});

test("a command from the profile is wrapped", () => {
  const { pod } = run(goldenPod("no-command"), undefined, { runner: { command: ["/start"] } });
  expect(containerOf(pod, "runner").command?.slice(-2)).toEqual(["--", "/start"]);
});

test.each([
  ["Docker's config directory", "/home/runner/.docker", { hostPath: { path: "/shared" } }],
  ["the home directory", "/home/runner", { persistentVolumeClaim: { claimName: "home" } }],
  ["an existing config.json", "/home/runner/.docker/config.json", { secret: { secretName: "own" } }],
])("no logins are written to a volume at %s", (_where, mountPath, source) => {
  const before = goldenPod("dind-sidecar");
  before.spec.volumes?.push({ name: "own", ...source });
  containerOf(before, "runner").volumeMounts?.push({ name: "own", mountPath });
  const { pod, outcome } = run(before);
  expect(outcome).toMatchObject({ reason: "docker-config-mounted" });
  expect(pod).toBe(before);
});

test("an emptyDir that only the runner uses as its home is no obstacle", () => {
  const before = goldenPod("dind-sidecar");
  before.spec.volumes?.push({ name: "home", emptyDir: {} });
  containerOf(before, "runner").volumeMounts?.push({ name: "home", mountPath: "/home/runner" });
  expect(run(before).outcome.result).toBe("applied");
});

test.each<[string, Partial<Container>, object, string]>([
  [
    "an emptyDir that only the runner mounts",
    { volumeMounts: [{ name: "own", mountPath: "/home/runner/.docker" }] },
    {},
    "applied",
  ],
  [
    "an emptyDir that an init container has filled",
    { volumeMounts: [{ name: "own", mountPath: "/home/runner/.docker" }] },
    { initContainers: [{ name: "fill", volumeMounts: [{ name: "own", mountPath: "/home/runner/.docker" }] }] },
    "applied",
  ],
  [
    "an emptyDir that a sidecar also mounts",
    { volumeMounts: [{ name: "own", mountPath: "/home/runner/.docker" }] },
    {
      initContainers: [
        { name: "side", restartPolicy: "Always", volumeMounts: [{ name: "own", mountPath: "/home/runner/.docker" }] },
      ],
    },
    "docker-config-mounted",
  ],
  ["a read-only root filesystem", { securityContext: { readOnlyRootFilesystem: true } }, {}, "read-only-root"],
  [
    "a read-only root filesystem with a volume there",
    {
      securityContext: { readOnlyRootFilesystem: true },
      volumeMounts: [{ name: "own", mountPath: "/home/runner" }],
    },
    {},
    "applied",
  ],
  [
    "a read-only root filesystem with a volume in the home directory of the command",
    {
      command: ["/home/gha/runner/run.sh"],
      securityContext: { readOnlyRootFilesystem: true },
      volumeMounts: [{ name: "own", mountPath: "/home/gha" }],
    },
    {},
    "applied",
  ],
])("logins with %s", (_what, change, spec, want) => {
  const pod = goldenPod("default-mode");
  Object.assign(containerOf(pod, "runner"), change);
  Object.assign(pod.spec, spec);
  pod.spec.volumes?.push({ name: "own", emptyDir: {} });
  const { outcome } = run(pod);
  expect(outcome.reason ?? outcome.result).toBe(want);
});
