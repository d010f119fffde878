import { expect, test } from "vitest";
import { containerOf, goldenPod } from "../../test/support/pods.ts";
import type { Container, Pod } from "../pod/types.ts";
import { findExternalsCopy } from "./externals.ts";

function podWith(copier: Partial<Container>, change: (pod: Pod) => void = () => {}): Pod {
  const pod = goldenPod("dind-sidecar");
  const container = containerOf(pod, "init-dind-externals");
  delete container.command;
  delete container.args;
  Object.assign(container, copier);
  change(pod);
  return pod;
}
const find = (pod: Pod) => findExternalsCopy(pod, containerOf(pod, "dind"));
const from = "/home/runner/externals/.";
const to = "/home/runner/tmpDir/";

test.each<[string, Partial<Container>]>([
  ["ARC's chart", { command: ["cp"], args: ["-r", from, to] }],
  ["ARC's experimental chart", { command: ["cp", "-r", from, to] }],
  ["GitHub's rootless template", { command: ["cp"], args: ["-r", "-v", from, to] }],
  ["an archive copy", { command: ["/bin/cp", "-a", from, "/home/runner/tmpDir"] }],
  ["long flags", { command: ["cp", "--recursive", "--preserve=mode", from, to] }],
  ["a target that ends in /.", { command: ["cp", "-r", from, "/home/runner/tmpDir/."] }],
  ["-T", { command: ["cp", "-rT", "/home/runner/externals", "/home/runner/tmpDir"] }],
  ["a shell", { command: ["sh", "-c", `cp -r ${from} ${to}`] }],
  [
    "bash, with a glob",
    { command: ["/bin/bash", "-ec"], args: ["cp -rf /home/runner/externals/* /home/runner/tmpDir"] },
  ],
])("a copy command is recognised: %s", (_who, copier) => {
  const pod = podWith(copier);
  expect(find(pod)).toEqual({
    container: containerOf(pod, "init-dind-externals"),
    folder: "home/runner/externals",
    volume: "dind-externals",
  });
});

test.each<[string, Partial<Container>]>([
  ["does more", { command: ["sh", "-c", `cp -r ${from} ${to} && chown -R 1000 ${to}`] }],
  ["does more, on another line", { command: ["sh", "-c", `cp -r ${from} ${to}\nls ${to}`] }],
  ["uses a variable", { command: ["sh", "-c", `cp -r $HOME/externals/. ${to}`] }],
  ["uses a variable that the kubelet expands", { command: ["cp", "-r", "$(HOME)/externals/.", to] }],
  ["creates a directory in the target", { command: ["cp", "-r", "/home/runner/externals", to] }],
  ["copies to a directory in the volume", { command: ["cp", "-r", from, "/home/runner/tmpDir/externals"] }],
  ["does not copy recursively", { command: ["cp", from, to] }],
  ["copies more than one directory", { command: ["cp", "-r", from, "/opt/tools/.", to] }],
  ["has an unknown flag", { command: ["cp", "-r", "--strip-trailing-slashes", from, to] }],
  ["is another program", { command: ["rsync", "-r", from, to] }],
  ["has a relative path", { command: ["cp", "-r", "externals/.", to] }],
  [
    "mounts a sub-path of the volume",
    {
      command: ["cp", "-r", from, to],
      volumeMounts: [{ name: "dind-externals", mountPath: "/home/runner/tmpDir", subPath: "a" }],
    },
  ],
])("an init container that %s is not changed", (_what, copier) => {
  expect(find(podWith(copier))).toBe("externals-copy-unknown");
});

const copies = { command: ["cp", "-r", from, to] };

test.each<[string, string, Partial<Container>, (pod: Pod) => void]>([
  ["no init container mentions externals", "no-externals-copy", { command: ["true"] }, () => {}],
  [
    "DinD does not mount the volume",
    "no-externals-copy",
    copies,
    (pod) => (containerOf(pod, "dind").volumeMounts = []),
  ],
  [
    "another container mounts the volume",
    "externals-shared",
    copies,
    (pod) =>
      (containerOf(pod, "runner").volumeMounts = [{ name: "dind-externals", mountPath: "/home/runner/externals" }]),
  ],
  [
    "the volume is persistent",
    "externals-shared",
    copies,
    (pod) =>
      (pod.spec.volumes = pod.spec.volumes?.map((one) =>
        one.name === "dind-externals" ? { name: one.name, persistentVolumeClaim: { claimName: "x" } } : one,
      )),
  ],
  [
    "DinD mounts a part of the volume",
    "externals-shared",
    copies,
    (pod) =>
      (containerOf(pod, "dind").volumeMounts = [
        { name: "dind-externals", mountPath: "/home/runner/externals", subPath: "node24" },
      ]),
  ],
])("does not apply if %s: %s", (_what, reason, copier, change) => {
  expect(find(podWith(copier, change))).toBe(reason);
});

test("a sidecar that mentions externals is not a copy", () => {
  const pod = podWith({ ...copies, restartPolicy: "Always" });
  expect(find(pod)).toBe("no-externals-copy");
});
