import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { admissionReview, patched } from "../src/cli/admission-client.ts";
import type { AdmissionAnswer } from "../src/cli/admission-client.ts";
import { parseConfig } from "../src/config/load.ts";
import { createPrime } from "../src/engine/prime.ts";
import { createLogger } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { mutations } from "../src/mutations/index.ts";
import { createAdmit } from "../src/webhook/admit.ts";
import { goldenPod, goldenPodSecurity } from "./support/pods.ts";

// Go programs write null for an empty list or map, and the API server accepts it. So null can occur at every path of a pod.

const prime = createPrime({ mutations, version: "1" });
const golden = new URL("golden/", import.meta.url);

/** For each path in the value, yields the path and a copy of the value that has null at this path. */
function* withNulls(value: unknown, path = ""): Generator<{ path: string; value: unknown }> {
  if (path) yield { path, value: null };
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    for (const one of withNulls(part, `${path}/${key}`)) {
      const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
      Object.assign(copy, { [key]: one.value });
      yield { path: one.path, value: copy };
    }
  }
}

test.each(readdirSync(golden))("null at any path of the pod of test/golden/%s causes no error", (name) => {
  const config = parseConfig(readFileSync(new URL(`${name}/config.yaml`, golden), "utf8"), "config.yaml");
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const admit = createAdmit({ config: () => config, prime, log, metrics, clock: () => 0 });
  let count = 0;
  for (const { path, value } of withNulls(goldenPod(name))) {
    count += 1;
    const answer = JSON.parse(admit(admissionReview(value, "arc-runners"), goldenPodSecurity(name))) as AdmissionAnswer;
    const { allowed, warnings = [] } = answer.response;
    const errors = warnings.filter((warning) => /internal-error|mutation-failed|invariant-broken/.test(warning));
    expect({ path, allowed, errors }).toEqual({ path, allowed: true, errors: [] });
    expect(() => patched(value, answer)).not.toThrow();
  }
  expect(count).toBeGreaterThan(10);
});
