import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import type { Container } from "./types.ts";
import { runnerFolders } from "./home.ts";

const folders = (container: Partial<Container>, settings = {}) =>
  runnerFolders(goldenPod("default-mode"), { name: "runner", ...container }, settings);

test.each<[string, Partial<Container>, object, string]>([
  ["its own HOME", { env: [{ name: "HOME", value: "/h" }], command: ["/home/gha/run.sh"] }, { home: "/x" }, "/h"],
  ["the profile", { command: ["/home/gha/run.sh"] }, { home: "/x" }, "/x"],
  ["user 0", { command: ["/home/gha/run.sh"], securityContext: { runAsUser: 0 } }, {}, "/root"],
  ["the command", { command: ["/home/gha/actions-runner/run.sh"] }, {}, "/home/gha"],
  ["a shell string", { command: ["sh", "-c", "id && exec /home/gha/run.sh"] }, {}, "/home/gha"],
  ["the profile's command", {}, { command: ["/home/gha/run.sh"] }, "/home/gha"],
  ["a script", { command: ["/home/ubuntu/start"] }, {}, "/home/ubuntu"],
  ["the default", { command: ["/opt/runner/run.sh"] }, {}, "/home/runner"],
])("the runner's home directory is determined by %s", (_by, container, settings, home) => {
  expect(folders(container, settings)).toMatchObject({ home, docker: `${home}/.docker` });
});
