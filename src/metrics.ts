import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** The Prometheus metrics of the process. Label values come from fixed lists, to keep the number of series low. */
export interface Metrics {
  /** One admission review was answered. */
  decision(decision: "skip" | "mutate", reason: string, mode: "enforce" | "audit", seconds: number): void;
  /** One mutation was tried. */
  mutation(mutation: string, result: "applied" | "skipped", reason: string): void;
  /** A request was rejected with this HTTP status, because it contained no readable review. */
  refused(status: number): void;
  /** A watched file was read again. */
  reload(what: "config" | "certificate" | "client-ca", accepted: boolean): void;
  /** The expiry time of the serving certificate, as a Unix timestamp in seconds. */
  certificateExpiry(seconds: number): void;
  /** The expiry time of the self-managed CA, if there is one, as a Unix timestamp in seconds. */
  caExpiry(seconds: number): void;
  /** A self-managed certificate or the caBundle was written, with this result. */
  selfManaged(what: ManagedPart, result: "written" | "conflict" | "failed"): void;
  /** The package bundles that are available to pods, by profile. Replaces the values of all profiles. */
  bundles(ready: ReadonlyMap<string, ProfileBundles>): void;
  /** The metrics in the Prometheus exposition format, and the content type. */
  expose(): Promise<{ text: string; contentType: string }>;
}

/** The bundles of one profile. */
export interface ProfileBundles {
  readonly count: number;
  /** The build time of the oldest one, in seconds since 1970. */
  readonly oldest: number;
}

/** The parts of a self-managed certificate. `bundle` is in the Secret, `ca-bundle` in the webhook configuration. */
export type ManagedPart = "authority" | "serving" | "bundle" | "ca-bundle";

const prefix = "arc_primer_";

/** @param options.processMetrics whether to also measure the process itself. This starts timers, so tests turn it off */
export function createMetrics(options: { processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: prefix + name, help, labelNames, registers });

  const decisions = counter("decisions_total", "Admission reviews answered, by decision and reason.", [
    "decision",
    "reason",
    "mode",
  ]);
  const mutations = counter("mutations_total", "Mutations tried on runner pods, by result and reason.", [
    "mutation",
    "result",
    "reason",
  ]);
  const refusals = counter("refused_requests_total", "Requests without a readable admission review, by HTTP status.", [
    "status",
  ]);
  const seconds = new Histogram({
    name: `${prefix}decision_seconds`,
    help: "Time to process a parsed admission review, in seconds.",
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers,
  });
  const writes = counter("self_managed_writes_total", "Self-managed certificates written, by part and result.", [
    "what",
    "result",
  ]);

  return {
    decision(decision, reason, mode, duration) {
      decisions.inc({ decision, reason, mode });
      seconds.observe(duration);
    },
    mutation: (mutation, result, reason) => mutations.inc({ mutation, result, reason }),
    refused: (status) => refusals.inc({ status: String(status) }),
    reload: reloads(registers),
    ...expiryGauges(registry),
    selfManaged: (what, result) => writes.inc({ what, result }),
    bundles: readyBundles(registers),
    expose: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** Counts reloads, and records the result of the last one. An alert on it resolves with the next accepted reload. */
export function reloads(registers: Registry[]): Metrics["reload"] {
  const count = new Counter({
    name: `${prefix}reloads_total`,
    help: "Reloads of watched files, by file and result.",
    labelNames: ["what", "result"],
    registers,
  });
  const last = new Gauge({
    name: `${prefix}last_reload_accepted`,
    help: "1 if the last reload of a watched file was accepted, 0 if it was rejected.",
    labelNames: ["what"],
    registers,
  });
  return (what, accepted) => {
    count.inc({ what, result: accepted ? "accepted" : "refused" });
    last.set({ what }, accepted ? 1 : 0);
  };
}

function readyBundles(registers: Registry[]): Metrics["bundles"] {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: prefix + name, help, labelNames: ["profile"], registers });
  const counts = gauge("bundles", "Package bundles that are available to pods of the profile.");
  const oldest = gauge(
    "oldest_bundle_timestamp_seconds",
    "Build time of the oldest of these bundles, as a Unix timestamp in seconds.",
  );
  return (ready) => {
    counts.reset();
    oldest.reset();
    for (const [profile, bundles] of ready) {
      counts.set({ profile }, bundles.count);
      oldest.set({ profile }, bundles.oldest);
    }
  };
}

function expiryGauges(registry: Registry): Pick<Metrics, "certificateExpiry" | "caExpiry"> {
  const gauge = (name: string, subject: string) =>
    lazyGauge(name, `Expiry time of ${subject}, as a Unix timestamp in seconds.`, registry);
  return {
    certificateExpiry: gauge("certificate_expiry_timestamp_seconds", "the serving certificate"),
    caExpiry: gauge("ca_expiry_timestamp_seconds", "the self-managed CA"),
  };
}

/** A gauge that is registered when it first gets a value. Without a value it would be exposed as 0 and trigger alerts. */
function lazyGauge(name: string, help: string, registry: Registry): (value: number) => void {
  let gauge: Gauge | undefined;
  return (value) => {
    gauge ??= new Gauge({ name: prefix + name, help, registers: [registry] });
    gauge.set(value);
  };
}
