import { describe, expect, test } from "vitest";
import { memoryCluster } from "../../../test/support/objects.ts";
import { createLogger } from "../../log.ts";
import { createMetrics } from "../../metrics.ts";
import { createCA, issueServingCertificate } from "../certificate.ts";
import type { ServingCertificate } from "../serving-certificate.ts";
import { Manager } from "./manager.ts";
import type { ClusterObjects } from "./objects.ts";

// Replicas with wrong clocks, and an API server with a correct clock. Uses the chart's default times.

const day = 86_400_000;
const times = { caLifetime: 1825 * day, servingLifetime: 90 * day, settling: 60_000 };
const start = Date.now();

function replica(objects: ClusterObjects, clock: () => number) {
  const lines: { level: string; msg: string; fingerprint?: string }[] = [];
  const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
  const metrics = createMetrics({ processMetrics: false });
  const one = {
    served: undefined as ServingCertificate | undefined,
    lines,
    manager: new Manager({ objects, names: ["localhost"], times, clock, log, metrics }, (pair) => (one.served = pair)),
    async settle(): Promise<string> {
      try {
        while ((await one.manager.step()) === "again");
        return "ok";
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
  return one;
}

async function running() {
  const world = { now: start };
  const { state, objects } = memoryCluster();
  state.serverTime = () => world.now;
  const good = replica(objects, () => world.now);
  expect(await good.settle()).toBe("ok");
  return { world, state, objects, good };
}

describe.each([-2000, -61, 61, 200, 2000])("a clock that is %i days off", (days) => {
  test("writes nothing, serves the current certificate, and does not affect other replicas", async () => {
    const { world, state, objects, good } = await running();
    const before = { ...state.secret };
    const bad = replica(objects, () => world.now + days * day);
    const way = days > 0 ? "ahead of" : "behind";
    expect(await bad.settle()).toMatch(
      new RegExp(`clock is \\d+ s ${way} the API server's; nothing is written until the clock is corrected`),
    );
    expect(state.secret).toEqual(before);
    expect(bad.served?.cert).toBe(before["tls.crt"]);
    expect(bad.manager.now()).toBe(world.now);
    expect(await good.settle()).toBe("ok");
    const fresh = replica(objects, () => world.now);
    expect(await fresh.settle()).toBe("ok");
    expect(fresh.served?.cert).toBe(before["tls.crt"]);
  });

  test("writes again after the clock has been corrected", async () => {
    const { world, state, objects } = await running();
    const clock = { off: days * day };
    const bad = replica(objects, () => world.now + clock.off);
    await bad.settle();
    clock.off = 0;
    world.now += 61 * day;
    const before = state.secret["tls.crt"];
    expect(await bad.settle()).toBe("ok");
    expect(state.secret["tls.crt"]).not.toBe(before);
  });
});

test("a CA that becomes valid in a year is replaced, and the current certificate is served meanwhile", async () => {
  const { world, state, objects, good } = await running();
  const served = good.served?.cert;
  const future = await createCA({ from: new Date(world.now + 365 * day), to: new Date(world.now + 3650 * day) });
  Object.assign(state.secret, { "ca.crt": future.cert, "ca.key": future.key });
  expect(await good.settle()).toBe("ok");
  expect(good.served?.cert).toBe(served);
  expect(state.secret["ca.crt"]).not.toBe(future.cert);
  const fresh = replica(objects, () => world.now);
  expect(await fresh.settle()).toBe("ok");
  expect(fresh.served?.cert).toBe(served);
});

test("without the API server's time, a certificate that is not valid yet is only reported", async () => {
  const { world, state, good } = await running();
  state.serverTime = undefined;
  const before = { ...state.secret };
  world.now -= day;
  expect(await good.settle()).toMatch(/ca.crt is not valid before .*; the clocks of the nodes may differ/);
  expect(state.secret).toEqual(before);
});

test("a CA from another client is logged as a warning with its fingerprint; a CA of the replicas is not", async () => {
  const { world, state, objects, good } = await running();
  const other = replica(objects, () => world.now);
  await other.settle();
  expect(other.lines).toMatchObject([{ level: "info", msg: "the Secret contains this CA" }]);

  const valid = { from: new Date(world.now - 3_600_000), to: new Date(world.now + 3650 * day) };
  const evil = await createCA(valid);
  const serving = await issueServingCertificate(evil, ["localhost"], valid);
  const data = { "ca.crt": evil.cert, "ca.key": evil.key, "tls.crt": serving.cert, "tls.key": serving.key };
  Object.assign(state.secret, { ...data, "ca-bundle.crt": evil.cert });
  for (const one of [good, other]) {
    await one.settle();
    await one.settle();
    const warnings = one.lines.filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}/) }]);
    expect(warnings[0]?.msg).toContain("added by another replica or another client");
  }
});
