import { expect, test } from "vitest";
import { jobsRunElsewhere } from "./containers.ts";

const kubernetes = "/home/runner/k8s/index.js";

test.each<[string, string | undefined, boolean]>([
  [kubernetes, "true", true],
  [kubernetes, "True", true],
  [kubernetes, "1", true],
  [kubernetes, "$true", true],
  [kubernetes, "false", false],
  [kubernetes, "0", false],
  [kubernetes, "yes", false],
  [kubernetes, undefined, false], // the runner's own default
  ["/home/runner/docker/index.js", "true", false],
])("hooks %s, REQUIRE_JOB_CONTAINER %s: all jobs run in other pods: %s", (hooks, required, elsewhere) => {
  const env = [{ name: "ACTIONS_RUNNER_CONTAINER_HOOKS", value: hooks }];
  if (required !== undefined) env.push({ name: "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", value: required });
  expect(jobsRunElsewhere({ name: "runner", env })).toBe(elsewhere);
});

test("without container hooks, all steps run in the runner container", () => {
  const env = [{ name: "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", value: "true" }];
  expect(jobsRunElsewhere({ name: "runner", env })).toBe(false);
});
