import { createBundleMetrics } from "../src/bundle-server/metrics.ts";
import type { RequestResult } from "../src/bundle-server/metrics.ts";
import { createMetrics } from "../src/metrics.ts";
import type { Metrics } from "../src/metrics.ts";
import { page, table } from "./markdown.ts";

/** Labels with many values: the page describes the values and does not list them. */
const many: Readonly<Record<string, string>> = {
  reason: "[a code](reasons.md), or empty",
  mutation: "a mutation's name",
  status: "an HTTP status",
  profile: "a profile's name",
  image: "a runner image",
};

/**
 * Records every metric once, with all values of the labels that have only a few. The types ensure that none is forgotten.
 */
function countAll(metrics: Metrics): void {
  type Values<T extends keyof Metrics, N extends number> = Record<Parameters<Metrics[T]>[N] & string, true>;
  const keys = <K extends string>(record: Record<K, true>) => Object.keys(record) as K[];
  const decisions: Values<"decision", 0> = { skip: true, mutate: true };
  const modes: Values<"decision", 2> = { enforce: true, audit: true };
  const results: Values<"mutation", 1> = { applied: true, skipped: true };
  const files: Values<"reload", 0> = { config: true, certificate: true, "client-ca": true };
  const parts: Values<"selfManaged", 0> = { authority: true, serving: true, bundle: true, "ca-bundle": true };
  const writes: Values<"selfManaged", 1> = { written: true, conflict: true, failed: true };
  const counting: Record<Exclude<keyof Metrics, "expose">, () => void> = {
    decision: () =>
      keys(decisions).forEach((kind) => keys(modes).forEach((mode) => metrics.decision(kind, "", mode, 0))),
    mutation: () => keys(results).forEach((result) => metrics.mutation("", result, "")),
    refused: () => metrics.refused(400),
    reload: () => keys(files).forEach((file) => [true, false].forEach((accepted) => metrics.reload(file, accepted))),
    certificateExpiry: () => metrics.certificateExpiry(0),
    caExpiry: () => metrics.caExpiry(0),
    bundles: () => metrics.bundles(new Map([["default", { count: 1, oldest: 0 }]])),
    selfManaged: () =>
      keys(parts).forEach((part) => keys(writes).forEach((result) => metrics.selfManaged(part, result))),
  };
  for (const count of Object.values(counting)) count();
}

/** The page docs/reference/metrics.md. */
export async function metricsReference(): Promise<string> {
  const metrics = createMetrics({ processMetrics: false });
  countAll(metrics);
  const head = ["metric", "type", "labels", "meaning"];
  return page(
    "# Metrics",
    "<!-- Written by npm run generate, from src/metrics.ts. -->",
    "Prometheus can scrape these metrics with `GET /metrics` on the port for health and metrics (`serve --ops-port`). The same endpoint serves prom-client's process metrics (`process_*`, `nodejs_*`).",
    table(head, rowsOf((await metrics.expose()).text)),
    "The two expiry metrics are absent until there is a certificate.",
    "## Bundle servers",
    "The pods of `packageBundles` serve these metrics on their port for health and metrics (`bundle-server --ops-port`). Every series has the labels `profile`, `image` and `architecture`.",
    table(head, rowsOf(await bundleMetricsText())),
  );
}

/** The metrics of a bundle server, each recorded once. */
async function bundleMetricsText(): Promise<string> {
  const metrics = createBundleMetrics(
    { profile: "", image: "", architecture: "" },
    { interval: 0, processMetrics: false },
  );
  const results: Record<RequestResult, true> = { sent: true, "cut-off": true, "not-found": true, refused: true };
  for (const isGood of [true, false]) metrics.built(isGood, 0);
  metrics.stored(0, 0);
  metrics.published(true);
  for (const result of Object.keys(results)) metrics.request(result as RequestResult, 0);
  for (const accepted of [true, false]) metrics.reload("config", accepted);
  return (await metrics.expose()).text.replaceAll(/,?(?:profile|image|architecture)=""/g, "");
}

/** The rows of the table, from Prometheus' text format. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n((?:[^#\n].*\n)*)/gm)].map(
    ([, name = "", help = "", type = "", samples = ""]) => [`\`${name}\``, type, labelsOf(samples), help],
  );
}

/** The labels of a metric with their values, from its lines in Prometheus' text format. */
function labelsOf(samples: string): string {
  const values = new Map<string, Set<string>>();
  for (const [, label = "", value = ""] of samples.matchAll(/(\w+)="([^"]*)"/g)) {
    if (label !== "le") values.set(label, (values.get(label) ?? new Set()).add(value)); // `le` is set by the histogram itself
  }
  const one = ([label, all]: [string, Set<string>]) =>
    `\`${label}\`: ${many[label] ?? [...all].map((value) => `\`${value}\``).join(", ")}`;
  return [...values].map(one).join("<br>");
}
