import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../src/config/load.ts";
import { selfSigned } from "../src/tls/certificate.ts";
import { everything } from "./support/chart-values.ts";
import { chartFolder, helm, render, template, withRepository } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// Tests the settings of the caches as rendered by Helm. registry-cache.test.ts tests their effect in a registry.

const isHelmHere = haveTools("helm");
const hubAndGitHub = { "docker.io": { url: "https://registry-1.docker.io" }, "ghcr.io": {} };
const cached = (values: Values = {}, others: Values = {}) =>
  render({ ...others, registryCache: { enabled: true, upstreams: hubAndGitHub, ...values } });
const hub = "arc-primer-cache-docker-io";
const pod = (values?: Values) => cached(values).one("StatefulSet", hub).spec.template.spec;
const validity = { from: new Date("2026-01-01"), to: new Date("2036-01-01") };
const { cert: caBundle } = await selfSigned(["a.example"], validity);
const { cert: pem } = await selfSigned(["b.example"], validity);

describe.runIf(isHelmHere)("a cache", () => {
  test("caches no descriptors in memory, which would make expired layers empty", () => {
    expect(pod().containers[0].env).toContainEqual({ name: "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", value: "" });
  });

  test("has a PersistentVolumeClaim, so that an eviction does not empty it", () => {
    const { spec } = cached().one("StatefulSet", hub);
    expect(spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe("100Gi");
    expect(spec.template.spec).not.toHaveProperty("volumes");
  });

  test("serves metrics on a separate port, which can be disabled", () => {
    const { env, ports } = pod().containers[0];
    expect(env).toContainEqual({ name: "REGISTRY_HTTP_DEBUG_ADDR", value: ":5001" });
    expect(ports).toContainEqual({ name: "metrics", containerPort: 5001 });
    expect(cached().one("Service", hub).spec.ports[1]).toEqual({ name: "metrics", port: 5001, targetPort: "metrics" });
    const quiet = cached({ metrics: false }, { serviceMonitor: { enabled: true } });
    const container = quiet.one("StatefulSet", hub).spec.template.spec.containers[0];
    expect(container.env).toContainEqual({ name: "REGISTRY_HTTP_DEBUG_ADDR", value: "" });
    expect(container.ports).toHaveLength(1);
    expect(quiet.one("Service", hub).spec.ports).toHaveLength(1);
    expect(quiet.one("ServiceMonitor").metadata.name).toBe("arc-primer");
  });

  test("has its own PodDisruptionBudget, topology spread and replicas, and prefers its own zone where Kubernetes supports that", () => {
    const manifests = cached({ replicas: 3 });
    const { spec } = manifests.one("StatefulSet", hub);
    expect(spec.replicas).toBe(3);
    expect(manifests.one("PodDisruptionBudget", hub).spec).toMatchObject({
      maxUnavailable: 1,
      selector: spec.selector,
    });
    const spread: Manifest[] = spec.template.spec.topologySpreadConstraints;
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      "topology.kubernetes.io/zone",
      "kubernetes.io/hostname",
    ]);
    for (const { labelSelector } of spread) expect(labelSelector).toEqual(spec.selector);
    const distribution = (...args: string[]) =>
      /trafficDistribution: (\S+)/.exec(template({ registryCache: { enabled: true } }, ...args).stdout)?.[1];
    expect(distribution("--kube-version", "1.31.2")).toBe("PreferClose");
    expect(distribution("--kube-version", "1.30.9")).toBeUndefined();
  });

  test("is selected by the network policy and the monitor, which select nothing else", () => {
    const manifests = cached({}, { networkPolicy: { enabled: true }, serviceMonitor: { enabled: true } });
    const policy = manifests.one("NetworkPolicy", "arc-primer-caches").spec;
    expect(policy.podSelector).toEqual(manifests.one("ServiceMonitor", "arc-primer-caches").spec.selector);
    expect(policy.podSelector.matchExpressions).toEqual([
      { key: "app.kubernetes.io/component", operator: "In", values: [hub, "arc-primer-cache-ghcr-io"] },
    ]);
    expect(policy.policyTypes).toEqual(["Ingress"]);
    expect(policy.ingress[0]).toEqual({
      ports: [{ port: "registry", protocol: "TCP" }],
      from: [{ namespaceSelector: { matchLabels: { "arc-primer.dev/inject": "enabled" } } }],
    });
  });

  test("is not rendered without upstreams", () => {
    const values = {
      registryCache: { enabled: true, upstreams: { "docker.io": null } },
      networkPolicy: { enabled: true },
    };
    expect(render(values).all.filter(({ kind }) => kind === "NetworkPolicy")).toHaveLength(1);
  });
});

describe.runIf(isHelmHere)("TLS of the caches", () => {
  const config = (registryCache: Values, values: Values = {}, profile = "default") =>
    parseConfig(cached(registryCache, values).one("ConfigMap", "arc-primer").data["config.yaml"], "config.yaml")
      .profiles[profile]!;
  const tls = { secretName: "caches", caBundle };
  const url = `https://${hub}.primer-system.svc.cluster.local:5000`;

  test("is off by default, and the notes explain the consequences", () => {
    const notes = (registryCache: Values) =>
      helm(
        ["install", "primer", chartFolder, "-n", "ci", "--dry-run=client", "--values", "-"],
        JSON.stringify(withRepository({ registryCache: { enabled: true, ...registryCache } })),
      ).stdout;
    expect(notes({})).toContain(
      "Cache for docker.io: http://primer-arc-primer-cache-docker-io.ci.svc.cluster.local:5000",
    );
    expect(notes({})).toContain("Pods connect to the caches over plain HTTP.");
    expect(notes({ tls })).not.toContain("plain HTTP");
  });

  test("mounts the Secret, and probes with HTTPS", () => {
    const { containers, volumes } = pod({ tls });
    expect(volumes).toContainEqual({ name: "tls", secret: { secretName: "caches" } });
    expect(containers[0].volumeMounts).toContainEqual({ name: "tls", mountPath: "/tls", readOnly: true });
    expect(containers[0].env).toEqual(
      expect.arrayContaining([
        { name: "REGISTRY_HTTP_TLS_CERTIFICATE", value: "/tls/tls.crt" },
        { name: "REGISTRY_HTTP_TLS_KEY", value: "/tls/tls.key" },
      ]),
    );
    expect(containers[0].readinessProbe.httpGet.scheme).toBe("HTTPS");
  });

  test("adds the CA to the default profile, for all clients", () => {
    const { privateCA, registries } = config({ tls });
    expect(privateCA?.pem?.trim()).toBe(caBundle.trim());
    expect(registries["docker.io"]?.mirrors).toMatchObject([{ url, privateCA: true }]);
  });

  test("adds the CA to the profile's own or inherited certificates", () => {
    for (const profiles of [
      { default: { privateCA: { pem, runner: true } } },
      { base: { privateCA: { pem, runner: true } }, default: { extends: "base" } },
    ]) {
      const { privateCA } = config({ tls }, { config: { profiles } });
      expect(privateCA?.pem).toContain(caBundle.trim());
      expect(privateCA?.pem).toContain(pem.trim());
      expect(privateCA?.runner).toBe(true);
    }
  });

  test("adds the CA to certificates of a profile that extends the default one", () => {
    const profiles = { default: {}, middle: { extends: "default" }, gpu: { extends: "middle", privateCA: { pem } } };
    const { privateCA } = config({ tls }, { config: { profiles } }, "gpu");
    expect(privateCA?.pem).toContain(caBundle.trim());
    expect(privateCA?.pem).toContain(pem.trim());
  });

  test.each(["configMap", "secret"])("rejects a profile that extends the default one and has a %s", (source) => {
    const profiles = { default: {}, gpu: { extends: "default", privateCA: { [source]: { name: "ca" } } } };
    expect(() => config({ tls }, { config: { profiles } })).toThrow(
      /registryCache.tls.caBundle: the profile gpu, which extends default, gets its certificates from/,
    );
  });

  test("keeps a ConfigMap of the profile, which must contain the CA", () => {
    const privateCA = { configMap: { name: "ca" } };
    const profile = config({ tls }, { config: { profiles: { default: { privateCA } } } });
    expect(profile.privateCA).toMatchObject(privateCA);
    expect(profile.privateCA?.pem).toBeUndefined();
    expect(profile.registries["docker.io"]?.mirrors).toMatchObject([{ url, privateCA: true }]);
  });

  test("needs no CA with a publicly trusted issuer", () => {
    const { privateCA, registries } = config({ tls: { secretName: "caches" } });
    expect(privateCA).toBeUndefined();
    expect(registries["docker.io"]?.mirrors).toMatchObject([{ url, privateCA: false }]);
  });
});

describe.runIf(isHelmHere)("the caches", () => {
  test("and the Dockerfile use fully qualified image names, which some runtimes and builders require", () => {
    const { image } = render({ registryCache: { enabled: true } }).one("StatefulSet").spec.template.spec.containers[0];
    expect(image).toMatch(/^docker\.io\/library\/registry@sha256:[0-9a-f]{64}$/);
    const dockerfile = readFileSync(join(chartFolder, "../../Dockerfile"), "utf8");
    const bases = [...dockerfile.matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)].map(([, name]) => name);
    expect(bases).toEqual(["docker.io/library/node:24", "gcr.io/distroless/nodejs24-debian13:nonroot"]);
  });

  test("are off by default, as are policy, monitoring and dashboard", () => {
    const off = ["StatefulSet", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"];
    expect(
      render()
        .kinds()
        .filter((kind) => off.includes(kind)),
    ).toEqual([]);
    expect(render().all.filter((one) => one.kind === "ConfigMap" && !one.metadata.annotations)).toHaveLength(1);
  });

  const env = (manifests: ReturnType<typeof render>, name: string) =>
    Object.fromEntries(
      manifests
        .one("StatefulSet", name)
        .spec.template.spec.containers[0].env.map((one: Manifest) => [
          one.name,
          one.value ?? one.valueFrom.secretKeyRef,
        ]),
    );

  test("are one per upstream, and the last mirrors of the default profile", () => {
    const mine = { mirrors: [{ url: "https://mirror.example.com" }] };
    const config = { profiles: { default: { registries: { "docker.io": mine } }, other: {} } };
    const manifests = render({ ...everything, config });
    const { profiles } = parse(manifests.one("ConfigMap", "arc-primer").data["config.yaml"]);
    const cache = (host: string) => ({ url: `http://arc-primer-cache-${host}.primer-system.svc.cluster.local:5000` });
    expect(profiles).toEqual({
      default: {
        registries: {
          "docker.io": { mirrors: [...mine.mirrors, cache("docker-io")] },
          "ghcr.io": { mirrors: [cache("ghcr-io")] },
          "harbor.example.com:8443": { mirrors: [cache("harbor-example-com-8443")] },
        },
      },
      other: {},
    });
    expect(env(manifests, "arc-primer-cache-docker-io")).toMatchObject({
      REGISTRY_PROXY_REMOTEURL: "https://registry-1.docker.io",
      REGISTRY_PROXY_TTL: "168h",
      REGISTRY_STORAGE_DELETE_ENABLED: "true",
    });
    expect(env(manifests, "arc-primer-cache-docker-io")).not.toHaveProperty("REGISTRY_PROXY_USERNAME");
    expect(env(manifests, "arc-primer-cache-ghcr-io")).toMatchObject({
      REGISTRY_PROXY_REMOTEURL: "https://ghcr.io",
      REGISTRY_PROXY_USERNAME: { name: "ghcr", key: "username" },
      REGISTRY_PROXY_PASSWORD: { name: "ghcr", key: "password" },
    });
    for (const name of ["arc-primer-cache-docker-io", "arc-primer-cache-ghcr-io"]) {
      const { spec } = manifests.one("StatefulSet", name);
      expect(manifests.one("Service", name).spec.selector).toEqual(spec.selector.matchLabels);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
    expect(manifests.one("Service", "arc-primer").spec.selector["app.kubernetes.io/component"]).toBe("webhook");
  });

  const registriesOf = (config: Values) => {
    const manifests = render({ registryCache: { enabled: true }, config });
    const text = manifests.one("ConfigMap", "arc-primer").data["config.yaml"];
    return parseConfig(text, "config.yaml").profiles["default"]!.registries["docker.io"];
  };
  const cacheUrl = "http://arc-primer-cache-docker-io.primer-system.svc.cluster.local:5000";

  test("keep other settings of their registry", () => {
    const privateCA = { configMap: { name: "ca" } };
    const config = { profiles: { default: { privateCA, registries: { "docker.io": { privateCA: true } } } } };
    expect(registriesOf(config)).toMatchObject({ privateCA: true, mirrors: [{ url: cacheUrl }] });
  });

  test("come after the mirrors that the default profile inherits", () => {
    const mirrors = [{ url: "https://mirror.example.com" }];
    const base = { registries: { "docker.io": { mirrors } } };
    const between = { extends: "base", registries: { "docker.io": {}, "ghcr.io": { mirrors: [] } } };
    const config = { profiles: { base, between, default: { extends: "between" } } };
    expect(registriesOf(config)?.mirrors.map(({ url }) => url)).toEqual(["https://mirror.example.com", cacheUrl]);
  });

  test("store data on the node, or in a volume that is deleted with the release", () => {
    const stateful = (storage: Values) => render({ registryCache: { enabled: true, storage } }).one("StatefulSet").spec;
    const onNode = stateful({ persistent: false, size: "20Gi" });
    expect(onNode.template.spec.volumes).toEqual([{ name: "data", emptyDir: { sizeLimit: "20Gi" } }]);
    expect(onNode.volumeClaimTemplates).toBeUndefined();
    const kept = stateful({ storageClassName: "fast", size: "5Gi" });
    expect(kept.template.spec.volumes).toBeUndefined();
    expect(kept.volumeClaimTemplates[0].spec).toMatchObject({
      storageClassName: "fast",
      resources: { requests: { storage: "5Gi" } },
    });
    expect(kept.persistentVolumeClaimRetentionPolicy.whenDeleted).toBe("Delete");
  });

  test("can use a proxy and a private CA for their upstreams", () => {
    const proxy = { name: "HTTPS_PROXY", value: "http://proxy.example.com:3128" };
    const { spec } = render({ registryCache: { enabled: true, env: [proxy], caConfigMap: "ca" } }).one("StatefulSet");
    const { containers, volumes } = spec.template.spec;
    expect(containers[0].env).toContainEqual(proxy);
    // Go reads this directory in addition to the system's certificate file (crypto/x509).
    expect(containers[0].env).toContainEqual({ name: "SSL_CERT_DIR", value: "/ca" });
    expect(containers[0].volumeMounts).toContainEqual({ name: "ca", mountPath: "/ca", readOnly: true });
    expect(volumes).toContainEqual({ name: "ca", configMap: { name: "ca" } });
  });

  test("have unique names within the length limit", () => {
    const long = `${"very.".repeat(9)}long`;
    const hosts = ["docker.io", "a.b", "a-b", "a_b", long, `${long}er`, "b.example:5000"];
    const upstreams = Object.fromEntries(hosts.map((host) => [host, {}]));
    const names: string[] = render({ registryCache: { enabled: true, upstreams } })
      .all.filter(({ kind }) => kind === "StatefulSet")
      .map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(hosts.length);
    // The pod is named NAME-0, and its label controller-revision-hash has ten characters more than the name.
    for (const name of names) expect(name).toMatch(/^arc-primer-cache-[a-z0-9]([a-z0-9-]{0,34}[a-z0-9])$/);
    expect(names).toEqual(expect.arrayContaining(["arc-primer-cache-a-b", "arc-primer-cache-b-example-5000"]));
  });

  test("an upstream can be removed with null", () => {
    const upstreams = { "docker.io": null, "ghcr.io": {} };
    expect(render({ registryCache: { enabled: true, upstreams } }).one("StatefulSet").metadata.name).toBe(
      "arc-primer-cache-ghcr-io",
    );
  });
});
