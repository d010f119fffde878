import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config/load.ts";
import type { Config } from "../src/config/schema.ts";
import { createPrime } from "../src/engine/prime.ts";
import { mutations } from "../src/mutations/index.ts";
import { podSecurityLevels } from "../src/pod/pod-security.ts";
import type { PodSecurity } from "../src/pod/pod-security.ts";
import type { Container, Pod } from "../src/pod/types.ts";
import { configs, pods } from "./support/arbitrary-pods.ts";
import { goldenPod } from "./support/pods.ts";
import { findTool, haveTools } from "./support/tools.ts";

// Validates pods with Kubernetes' own code before and after priming (test/validate, built by test/cluster/tools.sh). No
// valid pod becomes invalid, no pod gets a new error or warning, and no pod that a Pod Security level allows is rejected.

interface Verdict {
  errors: string[];
  strict: string[];
  warnings: string[];
  refusedBy: PodSecurity[];
}

const prime = createPrime({ mutations, version: "1" });
const namespace = "arc-runners";

function validate(objects: readonly unknown[]): Verdict[] {
  const input = objects.map((object) => `${JSON.stringify(object)}\n`).join("");
  const { stdout, stderr } = spawnSync(findTool("validate-pods")!, { input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (stderr) throw new Error(stderr);
  const verdicts = stdout.trimEnd().split("\n");
  expect(verdicts).toHaveLength(objects.length);
  return verdicts.map((line) => JSON.parse(line) as Verdict);
}

/** Removes the position from an error: an added container copies the runner's settings, including invalid ones. */
function withoutPosition(text: string): string {
  return text.replaceAll(/(initC|c)ontainers\[\d+\]/g, "containers").replaceAll(/(env|volumeMounts)\[\d+\]/g, "$1");
}

/** Validates each pod before and after priming at each level. Returns new problems, and how many pods were valid. */
function compare(cases: readonly { name: string; pod: Pod; config: Config }[]) {
  const all = cases.flatMap(({ name, pod, config }) => {
    const original: Pod = { ...pod, metadata: { ...pod.metadata, namespace } };
    const primed = podSecurityLevels.map((podSecurity) => prime(original, { namespace, podSecurity, config }).pod);
    return [original, ...primed].map((object, index) => ({ name, object, level: podSecurityLevels[index - 1] }));
  });
  const verdicts = validate(all.map(({ object }) => object));
  let before = verdicts[0]!;
  const regressions = all.flatMap(({ name, level }, index) => {
    const after = verdicts[index]!;
    if (level === undefined) before = after;
    const added = (["errors", "strict", "warnings"] as const).flatMap((kind) =>
      after[kind].filter((text) => !before[kind].map(withoutPosition).includes(withoutPosition(text))),
    );
    if (level && after.refusedBy.includes(level) && !before.refusedBy.includes(level))
      added.push(`rejected at ${level}`);
    return added.length > 0 ? [{ name, level, added }] : [];
  });
  const valid = all.filter(({ level }, index) => level === undefined && verdicts[index]!.errors.length === 0).length;
  return { regressions, valid };
}

/** The same pod without parts that no API server would accept. */
function withoutInvalidParts(pod: Pod): Pod {
  const volumes = ["work", "dind-sock", "etc"].map((name) => ({ name, emptyDir: {} }));
  const fix = (isInit: boolean) => (container: Container, index: number) => {
    const { name, image, command, args, env, volumeMounts, restartPolicy, startupProbe, securityContext } = container;
    const isSidecar = isInit && restartPolicy === "Always";
    const paths = new Map((volumeMounts ?? []).map((mount) => [mount.mountPath, mount] as const));
    return {
      name: isInit ? `${name}-${index}`.replace("runner-", "x-") : name,
      image: image?.includes("@") || !image ? "registry.example.com/x:1" : image,
      ...(command && { command }),
      ...(args && { args }),
      env: (env ?? []).filter((entry) => !entry.valueFrom),
      volumeMounts: [...paths.values()].filter((mount) => mount.name !== "missing"),
      ...(isSidecar && { restartPolicy }),
      ...(startupProbe && (!isInit || isSidecar) && { startupProbe }),
      ...(securityContext && { securityContext }),
    } as Container;
  };
  const { initContainers, containers, securityContext } = pod.spec;
  const spec = {
    restartPolicy: "Never",
    initContainers: (initContainers ?? []).map(fix(true)),
    containers: containers.map(fix(false)),
    volumes,
    ...(securityContext && { securityContext }),
  };
  return {
    ...pod,
    metadata: { name: "linux-abcde", ...(pod.metadata.labels && { labels: pod.metadata.labels }) },
    spec,
  };
}

describe.runIf(haveTools("validate-pods"))("validated with Kubernetes' own code:", () => {
  test("every golden pod stays valid with its own configuration", () => {
    const folder = new URL("golden/", import.meta.url);
    const cases = readdirSync(folder).map((name) => {
      const text = readFileSync(new URL(`${name}/config.yaml`, folder), "utf8");
      return { name, pod: goldenPod(name), config: parseConfig(text, name) };
    });
    const { regressions, valid } = compare(cases);
    expect(regressions).toEqual([]);
    expect(valid).toBe(cases.length);
  });

  const sample = fc.sample(fc.tuple(pods, configs), { numRuns: 500, seed: 18 });

  test("no pod of the property tests gets a new error", () => {
    const cases = sample.map(([pod, config], index) => ({ name: String(index), pod, config }));
    expect(compare(cases).regressions).toEqual([]);
  });

  test("without their invalid parts, all these pods stay valid", () => {
    const cases = sample.map(([pod, config], index) => ({
      name: String(index),
      pod: withoutInvalidParts(pod),
      config,
    }));
    const { regressions, valid } = compare(cases);
    expect(regressions).toEqual([]);
    expect(valid).toBeGreaterThan(400);
  });
});
