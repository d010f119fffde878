import { expect, test } from "vitest";
import { goldenPod } from "../../test/support/pods.ts";
import type { Outcome } from "./decision.ts";
import { statusAnnotation, withStatus } from "./status.ts";

const applied: Outcome = { mutation: "wait-for-docker", result: "applied", notes: ["startup-probe-removed"] };
const there: Outcome = { mutation: "wait-for-docker", result: "skipped", reason: "already-there", notes: [] };
const now = { version: "1", profile: "default" };

function statusOf(pod: ReturnType<typeof withStatus>): unknown {
  return JSON.parse(pod?.metadata.annotations?.[statusAnnotation] ?? "null");
}

test("a mutation that an earlier pass applied still counts as applied in the next pass", () => {
  const first = withStatus(goldenPod("dind-sidecar"), { ...now, outcomes: [applied] })!;
  expect(withStatus(first, { ...now, outcomes: [there] })).toBe(first);
});

test("changes that the pod had from the start do not count as applied", () => {
  const pod = withStatus(goldenPod("dind-sidecar"), { ...now, outcomes: [there] });
  expect(statusOf(pod)).toEqual({ ...now, applied: [], skipped: { "wait-for-docker": "already-there" } });
});

test("a pod without annotations gets the status annotation", () => {
  const pod = goldenPod("dind-sidecar");
  delete pod.metadata.annotations;
  expect(statusOf(withStatus(pod, { ...now, outcomes: [applied] }))).toMatchObject({ applied: ["wait-for-docker"] });
});

test("a forged status is replaced, and none of its texts are copied", () => {
  const pod = goldenPod("dind-sidecar");
  const forged = { version: "9", profile: "hardened", applied: ["wait-for-docker", "private-ca"], skipped: { a: "b" } };
  const notes = { "wait-for-docker": ["all is well", "startup-probe-removed"] };
  pod.metadata.annotations = { [statusAnnotation]: JSON.stringify({ ...forged, notes }) };
  expect(statusOf(withStatus(pod, { ...now, outcomes: [there] }))).toEqual({
    ...now,
    applied: ["wait-for-docker"],
    skipped: {},
    notes: { "wait-for-docker": ["startup-probe-removed"] },
  });
});

test.each(["", "not JSON", "null", "7", '{"applied":{}}', '{"applied":[1]}'])(
  "an invalid status (%j) is replaced",
  (value) => {
    const pod = goldenPod("dind-sidecar");
    pod.metadata.annotations = { [statusAnnotation]: value };
    expect(statusOf(withStatus(pod, { ...now, outcomes: [there] }))).toMatchObject({ applied: [] });
  },
);

test("the status is left out if the annotations would exceed 256 KiB, counted in bytes", () => {
  const pod = goldenPod("dind-sidecar");
  const size = (length: number) => ({ a: "é".repeat(length) });
  pod.metadata.annotations = size((256 * 1024) / 2 - 10);
  expect(withStatus(pod, { ...now, outcomes: [applied] })).toBeUndefined();
  pod.metadata.annotations = size((256 * 1024) / 2 - 200);
  expect(withStatus(pod, { ...now, outcomes: [applied] })).toBeDefined();
});

test("an annotation that was not validated does not prevent the status", () => {
  const pod = goldenPod("dind-sidecar");
  pod.metadata.annotations = JSON.parse('{"__proto__":null}') as Record<string, string>;
  expect(statusOf(withStatus(pod, { ...now, outcomes: [applied] }))).toMatchObject({ applied: ["wait-for-docker"] });
});
