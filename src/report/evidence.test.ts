import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import type { Container } from "../pod/types.ts";
import { evidenceOf } from "./evidence.ts";

const script = "#!/bin/sh\nexec true\n";

function evidence(container: Partial<Container>) {
  const pod = goldenPod("default-mode");
  pod.spec.initContainers = [];
  pod.spec.containers = [{ name: "runner", ...container }];
  return evidenceOf(pod);
}

test("nested scripts, each with its own arguments, also after a launcher", () => {
  const wait = ["/bin/sh", "-c", script, "arc-primer-wait", "timeout=120", "--", "/home/runner/run.sh"];
  const files = ["/bin/sh", "-c", script, "arc-primer-files", "home", "/home/runner", "--", ...wait];
  const want = [
    { container: "runner", script: "arc-primer-files", words: ["home", "/home/runner"] },
    { container: "runner", script: "arc-primer-wait", words: ["timeout=120"] },
  ];
  expect(evidence({ command: files })).toEqual(want);
  expect(evidence({ command: ["/launcher"], args: files })).toEqual(want);
});

test("package bundles are listed separately from the settings", () => {
  const sha256 = "a".repeat(64);
  const args = ["timeout=600", `bundle=amd64 ${sha256} http://bundles/a.tar`, "bundle=nonsense"];
  const [found] = evidence({ command: ["/bin/sh", "-c", script, "arc-primer-prerequisites", ...args, "--", "jq"] });
  expect(found?.words).toEqual(["timeout=600", "bundle=nonsense"]);
  expect(found?.bundles).toEqual([{ architecture: "amd64", sha256, url: "http://bundles/a.tar" }]);
});

test("a preStop hook", () => {
  const command = ["/bin/sh", "-c", script, "arc-primer-finish-job", "limit=60"];
  const [found] = evidence({ lifecycle: { preStop: { exec: { command } } } });
  expect(found).toEqual({ container: "runner", script: "arc-primer-finish-job", words: ["limit=60"] });
});

test("arguments are shown on one line, shortened, as the kubelet passes them on, and without passwords; other commands are not shown", () => {
  const words = ["a\nb", "x".repeat(200), "$$HOME", "url=http://me:secret@host/x"];
  const [found] = evidence({ command: ["sh", "-c", script, "arc-primer-x", ...words] });
  expect(found?.words).toEqual(["a b", `${"x".repeat(120)}…`, "$HOME", "url=http://…@host/x"]);
  expect(evidence({ command: ["sh", "-c", "echo arc-primer-x"], args: ["x", "arc-primer-y"] })).toEqual([]);
});

test("an offered bundle has its age and its packages from the index", () => {
  const sha256 = "a".repeat(64);
  const command = ["/bin/sh", "-c", script, "arc-primer-prerequisites", `bundle=amd64 ${sha256} http://bundles/a.tar`];
  const pod = goldenPod("default-mode");
  pod.spec.containers = [{ name: "runner", command }];
  const about = { built: "2026-11-25T04:00:00Z", age: "5 hours", packages: ["curl 7.88.1-10"] };
  const offered = { architecture: "amd64", sha256, url: "http://bundles/a.tar" };
  expect(evidenceOf(pod, [{ ...offered, ...about }])[0]?.bundles).toEqual([{ ...offered, ...about }]);
});
