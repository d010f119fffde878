import { expect, test, vi } from "vitest";
import { memoryCluster } from "../../../test/support/objects.ts";
import { createLogger } from "../../log.ts";
import { createMetrics } from "../../metrics.ts";
import { selfManagedSource } from "./source.ts";

const times = { caLifetime: 900_000, servingLifetime: 300_000, settling: 0 };

test("an unavailable API server does not count as a rejected certificate, and the source continues when it is back", async () => {
  const { objects } = memoryCluster();
  let isUnavailable = true;
  const unavailable = {
    ...objects,
    entries: () => (isUnavailable ? Promise.reject(new Error("it is unavailable")) : objects.entries()),
  };
  const log = createLogger("silent");
  const metrics = createMetrics({ processMetrics: false });
  const source = selfManagedSource({
    objects: unavailable,
    names: ["localhost"],
    times,
    interval: 5,
    clock: Date.now,
    log,
    metrics,
  });
  const served: unknown[] = [];
  await source.start((pair) => void served.push(pair));
  try {
    await vi.waitFor(() => expect(source.missing()).toContain("it is unavailable"));
    expect((await metrics.expose()).text).not.toContain('result="refused"');
    expect(served).toEqual([]);
    isUnavailable = false;
    await vi.waitFor(() => expect(served).toHaveLength(1));
    expect((await metrics.expose()).text).toContain('arc_primer_last_reload_accepted{what="certificate"} 1');
  } finally {
    source.stop();
  }
});
