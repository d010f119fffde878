import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import type { Container } from "../pod/types.ts";
import { runnerRoot } from "../pod/home.ts";
import { isWindows } from "../pod/windows.ts";
import { findDinds } from "./dind.ts";
import { dockerdFlags } from "./dockerd.ts";
import { dockerSource } from "./source.ts";
import { onlyChecksDocker } from "./startup-probe.ts";

const names = { docker: { container: "dind" }, runner: { container: "runner" } };
const privileged = { securityContext: { privileged: true } };

function found(...containers: Container[]): string[] {
  const pod = goldenPod("default-mode");
  pod.spec.containers.push(...containers);
  return findDinds(pod, names).map(({ container }) => container.name);
}

test.each<[string, Partial<Container>]>([
  ["its name", { name: "dind", image: "registry.example.com/x:1" }],
  ["Docker's image", { image: "docker:29-dind" }],
  ["Docker's image by digest", { image: `docker:dind@sha256:${"a".repeat(64)}` }],
  ["Docker's image without dind in its tag, with privileges", { image: "docker:29", ...privileged }],
  ["a third-party image, with privileges", { image: "cgr.dev/chainguard/docker-dind:latest", ...privileged }],
  ["dockerd in its args", { image: "registry.corp/mydocker:29", args: ["dockerd", "--debug"] }],
  ["dockerd in a shell string", { image: "x", command: ["sh", "-c", "update-ca-certificates && exec dockerd"] }],
  ["flags for the entrypoint", { image: "docker:dind", args: ["--debug"] }],
])("DinD is recognised by %s", (_how, change) => {
  expect(found({ name: "engine", ...change })).toHaveLength(1);
});

test.each<[string, Partial<Container>]>([
  ["Docker's client", { name: "dind", image: "docker:29-cli" }],
  ["docker:dind with a prune command", { image: "docker:dind", command: ["sh", "-c", "docker system prune"] }],
  [
    "docker:dind with a command that checks for dockerd",
    { image: "docker:dind", command: ["sh", "-c", "pgrep -x dockerd"] },
  ],
  ["an image about DinD without privileges", { image: "registry.example.com/dind-exporter:1" }],
  ["BuildKit", { image: "moby/buildkit:latest", ...privileged }],
])("%s is not DinD", (_what, change) => {
  expect(found({ name: "other", ...change })).toEqual([]);
});

test("a container that starts dockerd comes first; then privileges, name and image decide", () => {
  const order = found(
    { name: "image", image: "docker:dind" },
    { name: "dind", image: "x" },
    { name: "privileged", image: "docker:dind", ...privileged },
    { name: "starts", image: "x", args: ["dockerd"] },
  );
  expect(order).toEqual(["starts", "privileged", "dind", "image"]);
});

test("very long strings are processed quickly", () => {
  const strings = [" -a".repeat(500_000), "/a".repeat(500_000), " ".repeat(1_000_000), "dockerd ".repeat(100_000)];
  const began = performance.now();
  for (const text of strings) {
    const argv = ["sh", "-c", text];
    const runner = { name: "runner", image: "x", command: argv };
    const dind = { name: "engine", image: "docker:dind", command: argv, startupProbe: { exec: { command: argv } } };
    const pod = goldenPod("default-mode");
    pod.spec.containers = [runner, dind];
    findDinds(pod, names);
    dockerdFlags(dind, pod);
    dockerSource(pod, runner, names);
    runnerRoot(runner, {});
    onlyChecksDocker(dind.startupProbe);
    isWindows(pod);
  }
  expect(performance.now() - began).toBeLessThan(2000);
});
