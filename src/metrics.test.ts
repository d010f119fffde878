import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const lines = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.expose()).text.split("\n").filter((line) => line && !line.startsWith("#"));

test("counts reloads, and shows whether the last one was accepted", async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.reload("config", true);
  metrics.reload("config", false);
  expect(await lines(metrics)).toContain('arc_primer_last_reload_accepted{what="config"} 0');
  metrics.reload("config", true);
  metrics.reload("certificate", true);
  expect(await lines(metrics)).toEqual(
    expect.arrayContaining([
      'arc_primer_last_reload_accepted{what="config"} 1',
      'arc_primer_last_reload_accepted{what="certificate"} 1',
      'arc_primer_reloads_total{what="config",result="accepted"} 2',
      'arc_primer_reloads_total{what="config",result="refused"} 1',
    ]),
  );
});

test("the expiry metric is absent until there is a certificate", async () => {
  const metrics = createMetrics({ processMetrics: false });
  expect((await metrics.expose()).text).not.toContain("expiry");
  metrics.certificateExpiry(1_900_000_000);
  expect(await lines(metrics)).toContain("arc_primer_certificate_expiry_timestamp_seconds 1900000000");
});
