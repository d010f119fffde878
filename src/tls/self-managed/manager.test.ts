import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryCluster } from "../../../test/support/objects.ts";
import { createLogger } from "../../log.ts";
import { createMetrics } from "../../metrics.ts";
import { createCA } from "../certificate.ts";
import { certificatesIn, isFault, parseSecret } from "./secret-contents.ts";
import { Manager } from "./manager.ts";
import { Conflict } from "./objects.ts";
import type { ClusterObjects } from "./objects.ts";
import type { ServingCertificate } from "../serving-certificate.ts";

const second = 1000;
const times = { caLifetime: 900 * second, servingLifetime: 300 * second, settling: 30 * second };
const start = Date.now();

/** A replica. Its clock is the simulated time, with an optional offset. */
function replica(objects: ClusterObjects, clock: () => number, names = ["localhost"]) {
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const one = {
    served: undefined as ServingCertificate | undefined,
    metrics,
    manager: new Manager({ objects, names, times, clock, log, metrics }, (pair) => {
      one.served = pair;
    }),
    async settle() {
      while ((await one.manager.step()) === "again");
    },
  };
  return one;
}

const issuerOf = (pair: ServingCertificate | undefined, bundle: string) =>
  certificatesIn(bundle).find(({ pem }) => new X509Certificate(pair!.cert).verify(new X509Certificate(pem).publicKey));

async function running() {
  const cluster = memoryCluster();
  const clock = { now: start };
  const one = replica(cluster.objects, () => clock.now);
  await one.settle();
  return { ...cluster, clock, one, before: { ...cluster.state.secret } };
}

const without = (data: Record<string, string>, key: string) =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name !== key));

describe("from an empty Secret", () => {
  test("one replica: writes the CA, the certificate and every caBundle before it serves", async () => {
    const { state, objects } = memoryCluster();
    const one = replica(objects, () => start);
    await one.settle();
    expect(Object.keys(state.secret).toSorted()).toEqual(["ca-bundle.crt", "ca.crt", "ca.key", "tls.crt", "tls.key"]);
    expect(new Set(Object.values(state.bundles))).toEqual(new Set([state.secret["ca.crt"]]));
    expect(one.served).toMatchObject({ cert: state.secret["tls.crt"], key: state.secret["tls.key"] });
    const { text } = await one.metrics.expose();
    expect(text).toContain('arc_primer_self_managed_writes_total{what="authority",result="written"} 1');
    expect(text).toContain('arc_primer_self_managed_writes_total{what="ca-bundle",result="written"} 1');
    expect(text).toMatch(/^arc_primer_ca_expiry_timestamp_seconds \d+/m);
  });

  test("four replicas at once: one wins, the others use its certificate", async () => {
    const { state, objects } = memoryCluster();
    const replicas = Array.from({ length: 4 }, () => replica(objects, () => start));
    await Promise.all(replicas.map((one) => one.settle()));
    expect(state).toMatchObject({ secretVersion: 2, bundlesVersion: 2 });
    expect(new Set(replicas.map(({ served }) => served?.cert))).toEqual(new Set([state.secret["tls.crt"]]));
  });
});

test("a new CA is trusted before its certificate is served, also by replicas that start meanwhile; the old CA is kept", async () => {
  const { state, objects, clock, one, before } = await running();
  const stepAfter = async (milliseconds: number) => {
    clock.now += milliseconds;
    await one.settle();
  };
  for (const seconds of [250, 250, 98]) await stepAfter(seconds * second);
  const old = state.secret["ca.crt"]!;
  expect(old).toBe(before["ca.crt"]); // so far, only the certificate has been renewed
  const oldPair = one.served;
  expect(oldPair?.cert).not.toBe(before["tls.crt"]);

  await stepAfter(4 * second);
  const bundle = state.secret["ca.crt"]! + old;
  expect(state.secret).toMatchObject({ "ca-bundle.crt": bundle, "tls.crt": oldPair?.cert });
  expect(state.bundles).toEqual({ runners: bundle, restricted: bundle });
  await stepAfter(times.settling - 1);
  const fresh = replica(objects, () => clock.now);
  await fresh.settle();
  for (const { served } of [one, fresh]) expect(served).toMatchObject({ cert: oldPair?.cert });

  await stepAfter(1);
  expect(issuerOf(one.served, state.secret["ca.crt"]!)).toBeDefined();
  expect(fresh.served?.cert).toBe(oldPair?.cert);
  await fresh.settle(); // has only just seen the new CA
  expect(fresh.served?.cert).toBe(oldPair?.cert);
  clock.now += times.settling;
  await fresh.settle();
  expect(fresh.served?.cert).toBe(one.served?.cert);
  expect(state.bundles["runners"]).toBe(bundle);
});

describe("changes by others", () => {
  test("a caBundle that was emptied, in one or all entries, is restored, and nothing else changes", async () => {
    const { state, one, before, setBundles } = await running();
    state.bundles["runners"] = "";
    await one.settle();
    setBundles("nonsense");
    await one.settle();
    expect(Object.values(state.bundles)).toEqual([before["ca.crt"], before["ca.crt"]]);
    expect(state.secret).toEqual(before);
  });

  test.each<[string, (good: Record<string, string>) => Record<string, string>]>([
    ["that was emptied", () => ({})],
    ["with garbage", (good) => Object.fromEntries(Object.keys(good).map((key) => [key, "nonsense"]))],
    ["without the CA's key", (good) => ({ ...good, "ca.key": "" })],
    ["with another key for the CA", (good) => ({ ...good, "ca.key": good["tls.key"]! })],
    ["without a certificate", (good) => without(good, "tls.crt")],
    ["without a bundle", (good) => without(good, "ca-bundle.crt")],
  ])("a Secret %s is repaired; a certificate in use stays trusted until it is replaced", async (_, spoil) => {
    const { state, one, clock, before, setSecret, objects } = await running();
    const used = one.served;
    setSecret(spoil({ ...before }));
    await one.settle();
    expect(issuerOf(used, state.bundles["runners"]!)).toBeDefined();
    expect(one.served).toSatisfy(
      (now) => now === used || issuerOf(now as ServingCertificate, before["ca.crt"]!) !== undefined,
    );
    // A replica that starts now is not delayed.
    const fresh = replica(objects, () => clock.now);
    await fresh.settle();
    expect(issuerOf(fresh.served, state.bundles["runners"]!)).toBeDefined();
    for (let step = 0; step < 2; step++) {
      clock.now += times.settling;
      await one.settle();
    }
    expect(one.served?.cert).toBe(state.secret["tls.crt"]);
    const { ca, bundle } = parseSecret(state.secret, clock.now);
    expect(ca).toMatchObject({ fingerprint: bundle[0]!.fingerprint });
    expect(issuerOf(one.served, state.secret["ca.crt"]!)).toBeDefined();
  });

  test("if Secret and caBundles are emptied together, as after a leak, the new certificate is trusted at once", async () => {
    const { state, one } = await running();
    state.secret = {};
    for (const name of Object.keys(state.bundles)) state.bundles[name] = "";
    await one.settle();
    expect(issuerOf(one.served, Object.values(state.bundles)[0]!)).toBeDefined();
    expect(one.served?.cert).toBe(state.secret["tls.crt"]);
  });

  test("a CA that someone else provides is adopted: first it is trusted, then it signs", async () => {
    const { state, one, clock, before, setSecret } = await running();
    const own = await createCA({ from: new Date(start - 1), to: new Date(start + times.caLifetime) });
    setSecret({ ...before, "ca.crt": own.cert, "ca.key": own.key });
    await one.settle();
    expect(state.bundles["runners"]).toBe(own.cert + before["ca.crt"]!);
    expect(one.served?.cert).toBe(before["tls.crt"]);
    clock.now += times.settling;
    await one.settle();
    expect(issuerOf(one.served, own.cert)).toBeDefined();
    expect(state.secret["ca.crt"]).toBe(own.cert);
  });

  test("a certificate that was replaced together with its CA is served only when the CA is trusted", async () => {
    const { state, one, clock, before, setSecret } = await running();
    const elsewhere = memoryCluster();
    await replica(elsewhere.objects, () => start).settle();
    setSecret({ ...elsewhere.state.secret, "ca-bundle.crt": before["ca-bundle.crt"]! });
    await one.settle();
    expect(one.served?.cert).toBe(before["tls.crt"]);
    clock.now += times.settling;
    await one.settle();
    expect(one.served?.cert).toBe(elsewhere.state.secret["tls.crt"]);
    expect(issuerOf(one.served, state.bundles["restricted"]!)).toBeDefined();
  });

  test("a replica that requires an additional name gets it, and the other replicas accept the certificate", async () => {
    const { state, one, clock, objects } = await running();
    await replica(objects, () => clock.now, ["arc-primer.arc.svc"]).settle();
    const version = state.secretVersion;
    await one.settle();
    await replica(objects, () => clock.now, ["arc-primer.arc.svc"]).settle();
    expect(state.secretVersion).toBe(version);
    expect(new X509Certificate(one.served!.cert).subjectAltName).toContain("localhost");
  });
});

describe("when the API server denies access", () => {
  const refusing = (objects: ClusterObjects, ...names: (keyof ClusterObjects)[]): ClusterObjects => ({
    ...objects,
    ...Object.fromEntries(names.map((name) => [name, () => Promise.reject(new Error(`${name}: no`))])),
  });

  test("without the webhook configuration, no CA is created, nothing is served, and the reason is reported", async () => {
    const { state, objects } = memoryCluster();
    const one = replica(refusing(objects, "entries"), () => start);
    await expect(one.manager.step()).rejects.toThrow("entries: no");
    expect(state.secret).toEqual({});
    expect(one.served).toBeUndefined();
  });

  test("if the Secret is read-only, the caBundle is still repaired", async () => {
    const { state, objects, setBundles } = memoryCluster();
    await replica(objects, () => start).settle();
    setBundles("");
    const late = replica(refusing(objects, "writeSecret"), () => start + times.servingLifetime * 0.9);
    expect(await late.manager.step()).toBe("again");
    expect(state.bundles["runners"]).toBe(state.secret["ca.crt"]);
    await expect(late.settle()).rejects.toThrow("writeSecret: no");
    expect(late.served?.cert).toBe(state.secret["tls.crt"]);
  });

  test("if the webhook configuration becomes unreadable, new certificates of the same CA are still used", async () => {
    const { state, objects } = memoryCluster();
    const clock = { now: start };
    const gate = { open: true };
    const one = replica(
      { ...objects, entries: () => (gate.open ? objects.entries() : Promise.reject(new Error("no"))) },
      () => clock.now,
    );
    await one.settle();
    gate.open = false;
    clock.now += times.servingLifetime * 0.7;
    const before = state.secret["tls.crt"];
    await expect(one.settle()).rejects.toThrow("no");
    expect(state.secret["tls.crt"]).not.toBe(before);
    expect(one.served?.cert).toBe(state.secret["tls.crt"]);
  });
});

test("in any order, with outages and restarts, replicas serve only trusted certificates", async () => {
  const tick = 10 * second;
  const known = new Map<string, boolean>(); // verification is slow
  const trusts = (caBundle: string, pair: ServingCertificate) => {
    const key = pair.cert + caBundle;
    if (!known.has(key)) known.set(key, issuerOf(pair, caBundle) !== undefined);
    return known.get(key);
  };
  const lag = 10 * second; // the maximum delay until a kube-apiserver uses a new caBundle
  const replicaPlan = fc.record({
    skew: fc.integer({ min: -5, max: 5 }),
    outages: fc.array(fc.record({ from: fc.nat(150), ticks: fc.nat(40) }), { maxLength: 3 }),
    restarts: fc.array(fc.nat(150), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(replicaPlan, { minLength: 1, maxLength: 3 }), async (s, plans) => {
      const { state, objects } = memoryCluster();
      const world = { tick: 0, now: start };
      const history: string[] = [];
      const replicas = plans.map(({ skew, outages, restarts }) => {
        const cut = () => outages.some(({ from, ticks }) => world.tick >= from && world.tick < from + ticks);
        const scheduled = <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
          s.scheduleFunction(async (...args: A) => {
            if (cut()) throw new Error("cut off");
            return act(...args);
          });
        const reached: ClusterObjects = {
          secret: scheduled(objects.secret),
          writeSecret: scheduled(objects.writeSecret),
          entries: scheduled(objects.entries),
          writeEntries: scheduled(objects.writeEntries),
          serverTime: () => undefined,
        };
        const fresh = () => replica(reached, () => world.now + skew * second);
        return { fresh, restarts, now: fresh() };
      });

      let trustedFrom = 0;
      for (; world.tick < 200; world.tick++, world.now += tick) {
        for (const one of replicas) {
          if (one.restarts.includes(world.tick)) one.now = one.fresh();
        }
        // Without any certificate, the first one is served as soon as its CA is in the webhook configuration.
        const none = isFault(parseSecret(state.secret, world.now + 5 * second).serving);
        if (none) trustedFrom = world.now + tick + lag;
        await s.waitFor(
          Promise.all(
            replicas.map((one) =>
              one.now.settle().catch((error: unknown) => {
                if (error instanceof Conflict || !/cut off/.test(String(error))) throw error;
              }),
            ),
          ),
        );
        history.push(state.bundles["runners"]!);
        for (const one of replicas) {
          const { served } = one.now;
          if (!served || served.validTo <= world.now || world.now < trustedFrom) continue;
          for (const caBundle of history.slice(-1 - lag / tick)) {
            expect(trusts(caBundle, served), `tick ${world.tick}`).toBe(true);
          }
        }
      }
      // At the end, with all replicas connected, all serve the same certificate, which does not expire soon.
      expect(new Set(replicas.map(({ now }) => now.served?.cert))).toEqual(new Set([state.secret["tls.crt"]]));
      expect(parseSecret(state.secret, world.now)).toMatchObject({
        serving: { validTo: expect.toSatisfy((end) => (end as number) > world.now + times.servingLifetime / 4) },
      });
      expect(certificatesIn(state.bundles["runners"]!).length).toBeLessThanOrEqual(3);
    }),
    { numRuns: 4 },
  );
}, 60_000);
