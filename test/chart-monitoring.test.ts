import { parser as promql } from "@prometheus-io/lezer-promql";
import { describe, expect, test } from "vitest";
import { everything } from "./support/chart-values.ts";
import { render } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// The network policy, the alerts and the dashboard, as Helm renders them.

const isHelmHere = haveTools("helm");

function isPromql(query: string): boolean {
  let isOne = true;
  promql.parse(query).iterate({ enter: ({ type }) => void (isOne &&= !type.isError) });
  return isOne;
}

describe.runIf(isHelmHere)("network policy and monitoring", () => {
  test("the network policy allows the configured ingress, and egress at most to the API server", () => {
    const policy = (values: Values) => render(values).one("NetworkPolicy", "arc-primer").spec;
    const { ingress, egress, podSelector } = policy(everything);
    expect(podSelector).toEqual(render().one("Deployment").spec.selector);
    expect(ingress).toEqual([
      { ports: [{ port: "webhook", protocol: "TCP" }] },
      { ports: [{ port: "ops", protocol: "TCP" }], from: [{ namespaceSelector: {} }] },
    ]);
    expect(egress[0].ports.map(({ port }: Manifest) => port)).toEqual([443, 6443]);
    expect(policy({ networkPolicy: { enabled: true }, tls: { provider: "cert-manager" } }).egress).toEqual([]);
  });

  test("alerts and dashboard use only existing metrics", async () => {
    const { createMetrics } = await import("../src/metrics.ts");
    const metrics = createMetrics({ processMetrics: false });
    metrics.certificateExpiry(1);
    const { createBundleMetrics } = await import("../src/bundle-server/metrics.ts");
    const of = { profile: "", image: "", architecture: "" };
    const bundles = createBundleMetrics(of, { interval: 1, processMetrics: false });
    bundles.stored(1, 1);
    const text = (await metrics.expose()).text + (await bundles.expose()).text;
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const manifests = render(everything);
    const dashboard = manifests.one("ConfigMap", "arc-primer-dashboard").data["arc-primer.json"];
    expect(JSON.parse(dashboard).panels.length).toBeGreaterThan(5);
    const said = dashboard + JSON.stringify(manifests.one("PrometheusRule"));
    const used = [...said.matchAll(/\barc_primer_\w+/g)].map(([name]) => name.replace(/_(bucket|count)$/, ""));
    expect(used.length).toBeGreaterThan(8);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    const rules: Manifest[] = manifests.one("PrometheusRule").spec.groups[0].rules;
    expect(rules.map(({ alert }) => alert)).toEqual([
      "ArcPrimerCertificateExpires",
      "ArcPrimerNoCertificate",
      "ArcPrimerErrors",
      "ArcPrimerReloadRefused",
      "ArcPrimerFailedOpen",
      "ArcPrimerBlocksRunners",
      "ArcPrimerCacheFull",
      "ArcPrimerBundleMissing",
      "ArcPrimerBundleOld",
      "ArcPrimerBundleBuildFails",
    ]);
    const targets: Manifest[] = JSON.parse(dashboard).panels.flatMap((panel: Manifest) => panel.targets);
    const queries = [...rules, ...targets].map(({ expr }) => expr.replaceAll("$__rate_interval", "5m") as string);
    expect(queries.filter((query) => !isPromql(query))).toEqual([]);
    expect(isPromql("sum(rate(a[5m])")).toBe(false);
    expect(manifests.one("ServiceMonitor", "arc-primer").spec.selector.matchLabels).toEqual(
      manifests.one("Service", "arc-primer").spec.selector,
    );
  });
});

describe.runIf(isHelmHere)("alerts", () => {
  const rule = (name: string): Manifest =>
    render(everything)
      .one("PrometheusRule")
      .spec.groups[0].rules.find(({ alert }: Manifest) => alert === name);

  test("for a rejected configuration fire until a valid one is read", () => {
    expect(rule("ArcPrimerReloadRefused")).toMatchObject({
      expr: 'min by (what) (arc_primer_last_reload_accepted{namespace="primer-system"}) == 0',
      for: "5m",
    });
  });

  test("for new counters require earlier scrapes", () => {
    for (const [name, scraped] of [
      ["ArcPrimerErrors", 'arc_primer_decision_seconds_count{namespace="primer-system"}'],
      ["ArcPrimerFailedOpen", "apiserver_current_inflight_requests"],
      ["ArcPrimerBlocksRunners", "apiserver_current_inflight_requests"],
    ] as const) {
      for (const line of rule(name)
        .expr.split("\n")
        .filter((one: string) => one.includes("unless"))) {
        expect(line).toContain(` and count(${scraped} offset 15m) > 0`);
      }
    }
  });

  test("the dashboard lists namespaces with a metric that exists before the first pod", () => {
    const dashboard = JSON.parse(render(everything).one("ConfigMap", "arc-primer-dashboard").data["arc-primer.json"]);
    const { query } = dashboard.templating.list.find(({ name }: Manifest) => name === "namespace");
    expect(query).toBe("label_values(arc_primer_certificate_expiry_timestamp_seconds, namespace)");
  });
});
