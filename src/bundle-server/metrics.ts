import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { reloads } from "../metrics.ts";

export type RequestResult = "sent" | "cut-off" | "not-found" | "refused";

/** What a bundle server counts, for Prometheus. Every series bears its profile, image and architecture. */
export interface BundleMetrics {
  /** A build has ended, after these seconds. */
  built(isGood: boolean, seconds: number): void;
  /** The bundles in the store. @param newest when the newest was built, in seconds since 1970 */
  stored(newest: number | undefined, bytes: number): void;
  /** Whether the index names a bundle of the settings in force that this server has. */
  published(isPublished: boolean): void;
  /** A request was answered, with as many bytes of a bundle. */
  request(result: RequestResult, bytes: number): void;
  /** The configuration was read again. */
  reload(what: "config", accepted: boolean): void;
  /** The text that Prometheus reads, and its content type. */
  expose(): Promise<{ text: string; contentType: string }>;
}

const prefix = "arc_primer_bundle_";

/**
 * @param of what the bundles are for
 * @param options.interval milliseconds from one bundle to the next
 * @param options.processMetrics also measure the process itself; its timers are of no use in tests
 */
export function createBundleMetrics(
  of: { profile: string; image: string; architecture: string },
  options: { interval: number; processMetrics: boolean },
): BundleMetrics {
  const registry = new Registry();
  const registers = [registry];
  registry.setDefaultLabels(of);
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string) => new Gauge({ name: prefix + name, help, registers });
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: prefix + name, help, labelNames, registers });

  gauge("interval_seconds", "How old a bundle becomes before the next is built.").set(options.interval / 1000);
  const builds = counter("builds_total", "Builds that have ended.", ["result"]);
  const lastGood = gauge(
    "last_build_succeeded",
    "1 if the last build gave a bundle, 0 if it failed or there was none.",
  );
  const lastSeconds = gauge("last_build_seconds", "How long the last build took.");
  const publishedNow = gauge("published", "1 while the webhook can know of a bundle of the settings in force, else 0.");
  const storeBytes = gauge("store_bytes", "The bundles that are kept, in bytes.");
  const requests = counter("requests_total", "Requests for bundles, by what came of them.", ["result"]);
  const sent = counter("sent_bytes_total", "Bytes of bundles that were sent.", []);
  let newestBuilt: Gauge | undefined; // not there before there is a bundle: its 0 would set off alerts

  return {
    built(isGood, seconds) {
      builds.inc({ result: isGood ? "succeeded" : "failed" });
      lastGood.set(isGood ? 1 : 0);
      lastSeconds.set(seconds);
    },
    stored(newest, bytes) {
      storeBytes.set(bytes);
      if (newest === undefined) return;
      newestBuilt ??= gauge("built_timestamp_seconds", "When the newest bundle was built; absent until there is one.");
      newestBuilt.set(newest);
    },
    published: (isPublished) => publishedNow.set(isPublished ? 1 : 0),
    request(result, bytes) {
      requests.inc({ result });
      sent.inc(bytes);
    },
    reload: reloads(registers),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
