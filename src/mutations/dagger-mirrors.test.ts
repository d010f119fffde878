import { expect, test } from "vitest";
import { allRegistries, containerOf, goldenPod, mirrors, runOne, withRunner } from "../../test/support/pods.ts";
import type { Pod } from "../pod/types.ts";
import { daggerMirrors } from "./dagger-mirrors.ts";

const run = (pod: Pod = goldenPod("dind-sidecar"), profile: object = mirrors) => runOne(daggerMirrors, pod, profile);

test("Dagger: the files are at the same path in both containers, mounted in DinD, copied in the runner", () => {
  const { wrapperArgs, pod } = run(undefined, allRegistries);
  expect(wrapperArgs).toEqual([
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

test("Dagger: XDG_CONFIG_HOME takes precedence", () => {
  const pod = withRunner({ env: [{ name: "XDG_CONFIG_HOME", value: "/x" }] });
  expect(run(pod).wrapperArgs).toEqual([
    "arc-primer-files",
    "copy",
    "/etc/arc-primer/dagger/engine.json",
    "/x/dagger/engine.json",
  ]);
});

test.each(["runner", "dind"])("Dagger: neither container gets the files if %s already has a volume there", (name) => {
  const pod = goldenPod("dind-sidecar");
  containerOf(pod, name).volumeMounts?.push({ name: "work", mountPath: "/home/runner/.config/dagger/engine.json" });
  const result = run(pod);
  expect(result.outcome).toMatchObject({ reason: "dagger-files-mounted" });
  expect(result.pod).toBe(pod);
});

test("Dagger: does not apply if both containers share a home directory, which would get directories that belong to root", () => {
  const pod = goldenPod("dind-sidecar");
  for (const name of ["runner", "dind"])
    containerOf(pod, name).volumeMounts?.push({ name: "work", mountPath: "/home/runner" });
  expect(run(pod).outcome).toMatchObject({ reason: "dagger-files-mounted" });
});

test.each<[string, string, Pod, object]>([
  ["disabled in the profile", "disabled", goldenPod("dind-sidecar"), { ...mirrors, dagger: { enabled: false } }],
  ["no registries", "not-configured", goldenPod("dind-sidecar"), {}],
  ["no DinD", "no-dind", goldenPod("default-mode"), mirrors],
])("does not apply: %s (%s)", (_what, reason, pod, profile) => {
  expect(run(pod, profile).outcome).toMatchObject({ reason });
});

test("Dagger: does not apply to rootless Docker before 23, which would not start with a mount below ~/.config", () => {
  const pod = goldenPod("dind-rootless");
  const dind = containerOf(pod, "dind");
  dind.image = "docker:20.10-dind-rootless";
  expect(run(pod).outcome).toMatchObject({ reason: "rootless-too-old" });
  dind.image = "docker:24-dind-rootless";
  expect(run(pod).outcome.result).toBe("applied");
});

test("Dagger: two DinD containers both get the files", () => {
  const pod = goldenPod("dind-container");
  pod.spec.containers.push({ name: "second", image: "docker:dind" });
  const { pod: after } = run(pod);
  for (const name of ["dind", "second"]) {
    expect(containerOf(after, name).volumeMounts?.at(-1)?.mountPath).toBe("/home/runner/.config/dagger");
  }
});
