import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { reloads } from "../metrics.ts";

export type RequestResult = "sent" | "cut-off" | "not-found" | "refused";

/** The Prometheus metrics of a bundle server. Every series has the labels profile, image and architecture. */
export interface BundleMetrics {
  /** A build has finished, after these seconds. */
  built(isSuccessful: boolean, seconds: number): void;
  /** The state of the store. @param newest the build time of the newest bundle, in seconds since 1970 */
  stored(newest: number | undefined, bytes: number): void;
  /** Whether the index contains a bundle of this server that was built from the current settings. */
  published(isPublished: boolean): void;
  /** A request was answered with this number of bytes of a bundle. */
  request(result: RequestResult, bytes: number): void;
  /** The configuration was reloaded. */
  reload(what: "config", accepted: boolean): void;
  /** The text that Prometheus reads, and its content type. */
  expose(): Promise<{ text: string; contentType: string }>;
}

const prefix = "arc_primer_bundle_";

/**
 * @param of the labels of every series
 * @param options.interval the interval between builds, in milliseconds
 * @param options.processMetrics also collect the metrics of the process. Tests turn this off because it starts timers
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

  gauge("interval_seconds", "Age of a bundle at which the next one is built.").set(options.interval / 1000);
  const builds = counter("builds_total", "Finished builds, by result.", ["result"]);
  const lastSucceeded = gauge(
    "last_build_succeeded",
    "1 if the last build succeeded, 0 if it failed or there was none.",
  );
  const lastSeconds = gauge("last_build_seconds", "Duration of the last build.");
  const publishedNow = gauge("published", "1 if the index contains a bundle of the current settings, else 0.");
  const storeBytes = gauge("store_bytes", "Total size of the stored bundles, in bytes.");
  const requests = counter("requests_total", "Requests for bundles, by result.", ["result"]);
  const sent = counter("sent_bytes_total", "Bytes of bundles sent.", []);
  let newestBuilt: Gauge | undefined; // created with the first bundle, because the value 0 would trigger alerts

  return {
    built(isSuccessful, seconds) {
      builds.inc({ result: isSuccessful ? "succeeded" : "failed" });
      lastSucceeded.set(isSuccessful ? 1 : 0);
      lastSeconds.set(seconds);
    },
    stored(newest, bytes) {
      storeBytes.set(bytes);
      if (newest === undefined) return;
      newestBuilt ??= gauge(
        "built_timestamp_seconds",
        "Build time of the newest bundle, as a Unix timestamp in seconds. Absent until there is one.",
      );
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
