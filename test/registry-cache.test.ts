import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { selfSigned } from "../src/tls/certificate.ts";
import { chartFolder } from "./support/helm.ts";
import { startCache, startUpstream } from "./support/registry-cache.ts";
import { haveTools } from "./support/tools.ts";

// Tests the real registry 3 with the chart's settings: expiry, restarts, metrics.

const layer = randomBytes(100_000);
const whole = { status: 200, bytes: layer.length };

interface CacheTest {
  readonly cache: Awaited<ReturnType<typeof startCache>>;
  /** Fetches the layer through this repository. */
  readonly get: (repository: string) => Promise<{ status: number; bytes: number | string }>;
  /** How often the layer was fetched from upstream. */
  readonly fetches: () => number;
  /** Waits until this number of seconds has passed since the start of the cache. */
  readonly at: (seconds: number) => Promise<void>;
}

async function withCache(
  ttl: string,
  use: (test: CacheTest) => Promise<void>,
  options?: Parameters<typeof startCache>[2],
): Promise<void> {
  const upstream = await startUpstream(layer);
  try {
    const cache = await startCache(upstream.url, ttl, options);
    const began = performance.now();
    try {
      await use({
        cache,
        get: (repository) => cache.get(`${repository}/blobs/${upstream.digest}`),
        fetches: upstream.fetches,
        at: (seconds) => sleep(Math.max(0, began + seconds * 1000 - performance.now())),
      });
    } finally {
      await cache.stop();
    }
  } finally {
    upstream.stop();
  }
}

/** Lets two repositories share a layer. Returns the response of the second one after the layer has expired in the first. */
async function sharedAfterExpiry(overriding?: Record<string, string>): Promise<object> {
  let last: object = {};
  await withCache(
    "8s",
    async ({ get, at }) => {
      expect(await get("team/a")).toEqual(whole);
      await at(4);
      expect(await get("team/b")).toEqual(whole);
      await at(9.5);
      last = await get("team/b");
    },
    { ...(overriding && { overriding }) },
  );
  return last;
}

describe.runIf(haveTools("helm", "registry")).concurrent("a cache", { timeout: 60_000 }, () => {
  test("serves a shared layer completely, even if it has expired in another repository", async () => {
    expect(await sharedAfterExpiry()).toEqual(whole);
  });

  test("serves it empty with the image's own settings (to show that the test detects this)", async () => {
    expect(await sharedAfterExpiry({ REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR: "inmemory" })).not.toEqual(whole);
  });

  test("removes a layer one ttl after its first pull, however often it is requested", async () => {
    await withCache("8s", async ({ get, fetches, at }) => {
      for (const second of [0, 1, 2, 3, 4, 5]) {
        await at(second);
        expect(await get("team/a")).toEqual(whole);
      }
      expect(fetches()).toBe(1);
      await at(9.5);
      expect(await get("team/a")).toEqual(whole);
      expect(fetches()).toBe(2);
    });
  });

  test("keeps its content across a restart, and still removes it when it expires", async () => {
    await withCache("16s", async ({ cache, get, fetches, at }) => {
      expect(await get("team/a")).toEqual(whole);
      await at(7); // the registry saves its expiry times every five seconds
      await cache.restart();
      expect(await get("team/a")).toEqual(whole);
      expect(fetches()).toBe(1);
      expect(await get("team/b")).toEqual(whole); // each repository fetches a layer once
      expect(fetches()).toBe(2);
      await at(17.5);
      expect(await get("team/b")).toEqual(whole);
      expect(await get("team/a")).toEqual(whole);
      expect(fetches()).toBeGreaterThan(2);
    });
  });

  test("keeps a layer forever with a ttl of 0s, even across a restart", async () => {
    await withCache("0s", async ({ cache, get, fetches, at }) => {
      expect(await get("team/a")).toEqual(whole);
      await at(2); // the registry stores the layer after it has served it
      await cache.restart();
      expect(await get("team/a")).toEqual(whole);
      expect(fetches()).toBe(1);
    });
  });

  test("with a certificate, it serves only TLS", async () => {
    const now = Date.now();
    const validity = { from: new Date(now - 60_000), to: new Date(now + 3_600_000) };
    const certificate = await selfSigned(["127.0.0.1"], validity);
    await withCache(
      "1h",
      async ({ cache, get }) => {
        expect(await get("team/a")).toEqual(whole);
        expect((await fetch(cache.url.replace("https:", "http:"))).status).toBe(400);
      },
      { certificate },
    );
  });

  test("exposes the metrics that the dashboard shows", async () => {
    await withCache("1h", async ({ cache, get, at }) => {
      for (const second of [0, 2, 3]) {
        await at(second);
        await get("team/a");
      }
      expect(await cache.get("team/a/manifests/1")).toMatchObject({ status: 200 });
      const text = await cache.metrics();
      const value = (name: string) => Number(new RegExp(`^${name}\\{type="blob"\\} (\\S+)$`, "m").exec(text)?.[1]);
      const dashboard = readFileSync(join(chartFolder, "files/dashboard.json"), "utf8");
      const shown = [...dashboard.matchAll(/\bregistry_proxy_\w+/g)].map(([name]) => name);
      expect(shown.length).toBeGreaterThan(3);
      for (const name of shown) expect(text).toContain(`\n${name}{type="blob"} `);
      expect(value("registry_proxy_requests_total")).toBe(3);
      expect(value("registry_proxy_hits_total")).toBe(2);
      expect(value("registry_proxy_misses_total")).toBe(1);
      expect(value("registry_proxy_pulled_bytes_total")).toBe(layer.length);
      expect(value("registry_proxy_pushed_bytes_total")).toBe(3 * layer.length);
    });
  });
});
