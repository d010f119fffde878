import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseConfig } from "../src/config/load.ts";
import { createPrime } from "../src/engine/prime.ts";
import { mutations } from "../src/mutations/index.ts";
import type { Pod } from "../src/pod/types.ts";
import { statusAnnotation } from "../src/report/status.ts";
import { goldenPod } from "./support/pods.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("the status in the README equals that of test/golden/dind-shell-command", () => {
  const [, shown = ""] = /```text\n(\{"version".*\})\n```/.exec(read("README.md")) ?? [];
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const config = parseConfig(read("test/golden/dind-shell-command/config.yaml"), "config.yaml");
  const prime = createPrime({ mutations, version });
  const { pod } = prime(goldenPod("dind-shell-command"), { namespace: "arc", podSecurity: "privileged", config });
  const status: unknown = JSON.parse((pod as Pod).metadata.annotations?.[statusAnnotation] ?? "");
  expect(JSON.parse(shown)).toEqual(status);
});
