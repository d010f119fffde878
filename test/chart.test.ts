import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parser as promql } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "../src/config/load.ts";
import { selfSigned } from "../src/tls/certificate.ts";
import { mutatePaths } from "../src/webhook/routes.ts";
import { generatedFiles } from "../scripts/generate.ts";
import { chartFolder, helm, render, template, withRepository } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { schemaLocation, writeSchemas } from "./support/kubernetes-schemas.ts";
import { clusterCache, findTool, haveTools } from "./support/tools.ts";

// The chart as Helm renders it. What becomes of it on a cluster is test/cluster/chart.node.test.ts.

const isHelmHere = haveTools("helm", "kubeconform");

const { cert: caBundle } = await selfSigned(["a.example"], {
  from: new Date("2026-01-01"),
  to: new Date("2036-01-01"),
});
const everything = {
  registryCache: {
    enabled: true,
    upstreams: { "ghcr.io": { credentialsSecret: "ghcr" }, "harbor.example.com:8443": {} },
    storage: { persistent: true, storageClassName: "fast" },
    env: [{ name: "NO_PROXY", value: ".svc" }],
    caConfigMap: "ca",
  },
  networkPolicy: { enabled: true, opsFrom: [{ namespaceSelector: {} }] },
  serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  prometheusRule: { enabled: true },
  dashboard: { enabled: true },
};
const valueSets: Record<string, Values> = {
  "the defaults": {},
  "cert-manager": { tls: { provider: "cert-manager" } },
  "cert-manager with an issuer": {
    tls: { provider: "cert-manager", certManager: { issuerRef: { name: "corporate", kind: "ClusterIssuer" } } },
  },
  "a Secret": { tls: { provider: "existing-secret", existingSecret: { name: "mine", caBundle } } },
  "everything on": everything,
  "the host's network and placement": {
    hostNetwork: true,
    webhook: { port: 10260, opsPort: 10261, annotations: { a: "b" } },
    priorityClassName: "system-cluster-critical",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "control-plane", operator: "Exists" }],
    affinity: { nodeAffinity: {} },
    podLabels: { team: "ci" },
    podAnnotations: { note: "1" },
    imagePullSecrets: [{ name: "pull" }],
  },
  OpenShift: { openshift: true, registryCache: { enabled: true } },
  "every option": {
    global: { imageRegistry: "mirror.example.com/hub", imagePullSecrets: ["all", { name: "mirror" }] },
    commonLabels: { team: "ci" },
    commonAnnotations: { contact: "ci" },
    serviceAccount: { name: "webhook", annotations: { role: "reader" } },
    service: { annotations: { a: "b" }, ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6", "IPv4"] },
    deploymentAnnotations: { a: "b" },
    startupProbe: { failureThreshold: 30 },
    livenessProbe: { timeoutSeconds: 5 },
    revisionHistoryLimit: 2,
    extraArgs: ["--log-level=debug"],
    extraEnv: [{ name: "NODE_EXTRA_CA_CERTS", value: "/extra/ca.crt" }],
    extraVolumes: [{ name: "extra", configMap: { name: "ca" } }],
    extraVolumeMounts: [{ name: "extra", mountPath: "/extra" }],
    extraObjects: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "{{ .Release.Name }}-extra" } }],
    networkPolicy: {
      enabled: true,
      controlPlaneCIDRs: ["10.0.0.1/32"],
      podCIDRs: ["10.244.0.0/16", "10.245.0.0/16", "fd00::/48"],
      webhookFrom: [{ podSelector: {} }],
    },
    serviceMonitor: {
      enabled: true,
      scrapeTimeout: "5s",
      relabelings: [{ action: "labeldrop", regex: "pod" }],
      metricRelabelings: [{ action: "drop", sourceLabels: ["__name__"], regex: "nodejs_.*" }],
      annotations: { a: "b" },
    },
    prometheusRule: { enabled: true, runbookURL: "https://wiki.example.com/arc-primer", annotations: { a: "b" } },
    dashboard: { enabled: true, annotations: { folder: "ci" } },
    registryCache: {
      enabled: true,
      tls: { secretName: "caches", caBundle },
      replicas: 3,
      priorityClassName: "system-cluster-critical",
      annotations: { a: "b" },
      serviceAnnotations: { a: "b" },
      podAnnotations: { a: "b" },
      podLabels: { a: "b" },
    },
  },
};

/** The text that Helm refuses the values with. */
function refusal(values: Values): string {
  const { status, stderr } = template(values);
  expect(status).not.toBe(0);
  return stderr;
}

const podSpec = (values?: Values) => render(values).one("Deployment").spec.template.spec;

describe.runIf(isHelmHere)("the chart", () => {
  test("passes helm lint, strictly", () => {
    const { status, stdout, stderr } = helm(["lint", "--strict", chartFolder]);
    expect(stdout + stderr).toContain("0 chart(s) failed");
    expect(status).toBe(0);
  });

  test("its generated files are up to date (npm run generate)", async () => {
    for (const [file, text] of await generatedFiles()) expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("its schema is closed, but for what Kubernetes itself defines", () => {
    const open = (schema: unknown, path: string): string[] => {
      if (typeof schema !== "object" || schema === null) return [];
      const { type, additionalProperties } = schema as { type?: string | string[]; additionalProperties?: unknown };
      const isOpen = [type].flat().includes("object") && additionalProperties === undefined;
      return [
        ...(isOpen ? [path] : []),
        ...Object.entries(schema).flatMap(([key, value]) => open(value, path ? `${path}.${key}` : key)),
      ];
    };
    const schema: unknown = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8"));
    expect(open(schema, "").map((path) => path.replaceAll("properties.", ""))).toEqual([
      "global",
      "affinity",
      "registryCache.affinity",
      "registryCache.podSecurityContext",
      "podSecurityContext",
      "securityContext",
    ]);
  });

  test("may be a part of another chart, which sets enabled for its condition", () => {
    expect(render({ enabled: true }).text).toBe(render().text);
  });

  test("its plain manifests explain nothing that is not in them", () => {
    const plain = readFileSync(join(chartFolder, "../../deploy/arc-primer.yaml"), "utf8");
    expect(plain).not.toContain("the host's network");
  });

  test("renders to the same twice, and looks nothing up", () => {
    expect(template(everything).stdout).toBe(template(everything).stdout);
    const templates = readdirSync(join(chartFolder, "templates"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    expect(templates.length).toBeGreaterThan(10);
    expect(templates.join("\n")).not.toMatch(/\b(lookup|rand\w*|genCA|gen\w*Cert|genPrivateKey|uuidv4|now)\b/);
  });

  test("may be given a version with build metadata, as Flux does: no label may have a plus", () => {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-chart-"));
    try {
      cpSync(chartFolder, folder, { recursive: true });
      const meta = readFileSync(join(folder, "Chart.yaml"), "utf8");
      writeFileSync(join(folder, "Chart.yaml"), meta.replaceAll(/0\.1\.0/g, "0.1.0+3f2a1b"));
      const { stdout, stderr } = helm(["template", "arc-primer", folder, "--set", "image.repository=arc-primer"]);
      expect(stderr).toBe("");
      expect(stdout).toContain("helm.sh/chart: arc-primer-0.1.0_3f2a1b\n");
      expect(stdout).toContain("app.kubernetes.io/version: 0.1.0_3f2a1b\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe("is valid", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "arc-primer-schemas-"));
      writeSchemas(join(clusterCache, "api"), folder);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const kubeconform = (input: string) =>
      spawnSync(
        findTool("kubeconform")!,
        ["-strict", "-summary", "-output=json", "-schema-location", schemaLocation(folder)],
        { encoding: "utf8", input },
      );

    test.each(Object.entries(valueSets))("with %s, for kubeconform", (_name, values) => {
      const { text, all } = render(values);
      const { stdout } = kubeconform(text);
      const { resources = [], summary } = JSON.parse(stdout) as { resources?: unknown[]; summary: object };
      expect(resources).toEqual([]);
      expect(summary).toEqual({ valid: all.length, invalid: 0, errors: 0, skipped: 0 });
    });

    test("with names that are numbers", () => {
      const { stdout, stderr } = template(
        {
          priorityClassName: "1",
          tls: { provider: "existing-secret", existingSecret: { name: "3" } },
          registryCache: {
            enabled: true,
            upstreams: { "docker.io": { credentialsSecret: "4" } },
            storage: { persistent: true, storageClassName: "2" },
          },
          test: { namespace: "5" },
        },
        "--namespace",
        "123",
      );
      expect(stderr).toBe("");
      const { resources = [] } = JSON.parse(kubeconform(stdout).stdout) as { resources?: unknown[] };
      expect(resources).toEqual([]);
      const wants = [{ namespace: "123" }, { namespace: "5" }, { value: "5" }, { priorityClassName: "1" }];
      const texts = JSON.stringify(parseAllDocuments(stdout).map((document) => document.toJS() as Manifest));
      for (const want of wants) expect(texts).toContain(JSON.stringify(want).slice(1, -1));
    });

    test("with null for what may be left out", () => {
      const { text } = render({
        config: null,
        resources: null,
        podDisruptionBudget: { maxUnavailable: null },
        webhook: { annotations: null },
        affinity: null,
        registryCache: {
          enabled: true,
          resources: null,
          tolerations: null,
          podDisruptionBudget: { maxUnavailable: null },
        },
      });
      const { resources = [] } = JSON.parse(kubeconform(text).stdout) as { resources?: unknown[] };
      expect(resources).toEqual([]);
      expect(text).not.toContain("kind: PodDisruptionBudget");
      expect(text).not.toContain("null");
    });

    test.each(["arc-primer.yaml", "doctor-rights.yaml"])("as plain manifests: deploy/%s", (file) => {
      const { status } = kubeconform(readFileSync(join(chartFolder, "../../deploy", file), "utf8"));
      expect(status).toBe(0);
    });

    test("and kubeconform would say if it were not", () => {
      const { status, stdout } = kubeconform(render().text.replace("maxUnavailable: 1", "maxUnavailabel: 1"));
      expect(status).toBe(1);
      expect(stdout).toContain("maxUnavailabel");
    });
  });
});

describe.runIf(isHelmHere)("the webhook's registration", () => {
  const levels = Object.values(mutatePaths);
  const registered = (values: Values = {}) => render(values).one("MutatingWebhookConfiguration");

  /** The paths whose namespaceSelector matches a namespace with these labels. */
  function pathsFor(values: Values, labels: Record<string, string>): string[] {
    const matches = ({ namespaceSelector: { matchLabels, matchExpressions } }: Manifest) =>
      Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
      matchExpressions.every(({ key, operator, values: listed }: Manifest) => {
        const isListed = labels[key] !== undefined && listed.includes(labels[key]);
        return operator === "In" ? isListed : operator === "NotIn" && !isListed;
      });
    return registered(values)
      .webhooks.filter(matches)
      .map(({ clientConfig }: Manifest) => clientConfig.service.path);
  }

  test.each(levels)("has one entry for each namespace, by its Pod Security level; %s without a label", (level) => {
    const values = { podSecurity: { default: level } };
    const pathOf = (name: string) => Object.entries(mutatePaths).find(([, enforced]) => enforced === name)?.[0];
    const optedIn = { "kubernetes.io/metadata.name": "runners", "arc-primer.dev/inject": "enabled" };
    expect(pathsFor(values, optedIn)).toEqual([pathOf(level)]);
    for (const enforced of levels) {
      const labels = { ...optedIn, "pod-security.kubernetes.io/enforce": enforced };
      expect(pathsFor(values, labels)).toEqual([pathOf(enforced)]);
      expect(pathsFor(values, { ...labels, "arc-primer.dev/inject": "disabled" })).toEqual([]);
      expect(pathsFor(values, { ...labels, "kubernetes.io/metadata.name": "kube-system" })).toEqual([]);
      expect(pathsFor(values, { ...labels, "kubernetes.io/metadata.name": "primer-system" })).toEqual([]);
    }
  });

  test("asks about runner pods alone, and never holds ARC up for long", () => {
    for (const webhook of registered().webhooks) {
      expect(webhook).toMatchObject({
        objectSelector: { matchLabels: { "actions-ephemeral-runner": "True" } },
        failurePolicy: "Ignore",
        timeoutSeconds: 5,
        reinvocationPolicy: "IfNeeded",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        matchConditions: [{ name: "not-windows" }],
      });
      expect(webhook.rules).toHaveLength(1);
      expect(webhook.clientConfig.caBundle).toBeUndefined();
    }
  });

  test("the failure policy and the time are settings", () => {
    for (const webhook of registered({ webhook: { failurePolicy: "Fail", timeoutSeconds: 30 } }).webhooks) {
      expect(webhook).toMatchObject({ failurePolicy: "Fail", timeoutSeconds: 30 });
    }
  });
});

describe.runIf(isHelmHere)("TLS", () => {
  const args = (values?: Values): string[] => podSpec(values).containers[0].args;
  const certificateFlags = (values: Values) => args(values).filter((flag) => flag.startsWith("--tls"));
  const files = ["--tls-cert-file=/tls/tls.crt", "--tls-private-key-file=/tls/tls.key"];

  test("self-managed: an empty Secret, and rights to it and to the registration, by name", () => {
    const manifests = render();
    const secret = manifests.one("Secret");
    expect(Object.keys(secret).toSorted()).toEqual(["apiVersion", "kind", "metadata", "type"]);
    expect(manifests.one("Role").rules).toEqual([
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: [secret.metadata.name],
        verbs: ["get", "patch"],
      },
    ]);
    expect(manifests.one("ClusterRole").rules).toEqual([
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["mutatingwebhookconfigurations"],
        resourceNames: [manifests.one("MutatingWebhookConfiguration").metadata.name],
        verbs: ["get", "patch"],
      },
    ]);
    expect(certificateFlags({})).toEqual([
      `--tls-secret=primer-system/${secret.metadata.name}`,
      "--tls-webhook-configuration=arc-primer",
      "--tls-dns-name=arc-primer.primer-system.svc",
      "--tls-ca-lifetime=1825d",
      "--tls-cert-lifetime=90d",
      "--tls-check-interval=5s",
    ]);
    expect(podSpec().automountServiceAccountToken).toBe(true);
    expect(podSpec().volumes.map(({ name }: Manifest) => name)).toEqual(["config"]);
  });

  test.each(["cert-manager", "a Secret"])("%s: files, no rights, no token", (name) => {
    const values = valueSets[name]!;
    expect(
      render(values)
        .kinds()
        .filter((kind) => /Role|^Secret$/.test(kind)),
    ).toEqual([]);
    expect(certificateFlags(values)).toEqual(files);
    expect(podSpec(values).automountServiceAccountToken).toBe(false);
  });

  test("cert-manager: a CA of its own, or an issuer of yours; the CA is injected", () => {
    const own = render(valueSets["cert-manager"]);
    const certificate = own.one("Certificate", "arc-primer-tls");
    expect(own.one("Issuer", certificate.spec.issuerRef.name).spec.ca.secretName).toBe(
      own.one("Certificate", "arc-primer-ca").spec.secretName,
    );
    expect(own.one("Certificate", "arc-primer-ca").spec.privateKey.rotationPolicy).toBe("Never");
    expect(certificate.spec.privateKey.rotationPolicy).toBe("Always");
    expect(certificate.spec.dnsNames).toEqual(["arc-primer.primer-system.svc"]);
    expect(podSpec(valueSets["cert-manager"]).volumes[1].secret.secretName).toBe(certificate.spec.secretName);
    expect(own.one("MutatingWebhookConfiguration").metadata.annotations).toMatchObject({
      "cert-manager.io/inject-ca-from": "primer-system/arc-primer-tls",
    });

    const given = render(valueSets["cert-manager with an issuer"]);
    expect(given.kinds()).not.toContain("Issuer");
    expect(given.one("Certificate").spec.issuerRef).toEqual({ name: "corporate", kind: "ClusterIssuer" });
  });

  test("existing-secret: the Secret that is named, and its CA or an annotation", () => {
    expect(podSpec(valueSets["a Secret"]).volumes[1].secret.secretName).toBe("mine");
    for (const { clientConfig } of render(valueSets["a Secret"]).one("MutatingWebhookConfiguration").webhooks) {
      expect(Buffer.from(clientConfig.caBundle, "base64").toString()).toBe(caBundle);
    }
    const secret = { provider: "existing-secret", existingSecret: { name: "mine" } };
    const bundles = (values: Values) =>
      render(values)
        .one("MutatingWebhookConfiguration")
        .webhooks.map(({ clientConfig }: Manifest) => clientConfig.caBundle);
    // Said, though empty: what another provider had written would stay otherwise.
    expect(bundles({ tls: secret })).toEqual(["", "", ""]);
    expect(bundles({ tls: secret, webhook: { annotations: { note: "it" } } })).toEqual(["", "", ""]);
    const injected = { "cert-manager.io/inject-ca-from-secret": "primer-system/mine" };
    const values = {
      tls: { provider: "existing-secret", existingSecret: { name: "mine" } },
      webhook: { annotations: injected },
    };
    expect(bundles(values)).toEqual(Array(3).fill(undefined));
    expect(render(values).one("MutatingWebhookConfiguration").metadata.annotations).toMatchObject(injected);
  });
});

describe.runIf(isHelmHere)("the webhook's pods", () => {
  test("pass Pod Security `restricted`, as do the caches and the test", () => {
    const manifests = render({ registryCache: { enabled: true } });
    const specs = [
      manifests.one("Deployment").spec.template.spec,
      manifests.one("StatefulSet").spec.template.spec,
      manifests.hook("Pod").spec,
    ];
    for (const { securityContext, containers, initContainers = [], hostNetwork } of specs) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(hostNetwork).toBeUndefined();
      for (const container of [...initContainers, ...containers]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources.requests).toBeDefined();
        expect(container.resources.limits.memory).toBeDefined();
      }
    }
  });

  test("are two, apart from each other, with probes, a budget and a heap limit", () => {
    const manifests = render();
    const { spec } = manifests.one("Deployment");
    const { template: pod, replicas, selector } = spec;
    expect(replicas).toBe(2);
    expect(pod.metadata.labels).toMatchObject(selector.matchLabels);
    expect(pod.spec.topologySpreadConstraints.map(({ topologyKey }: Manifest) => topologyKey)).toEqual([
      "kubernetes.io/hostname",
      "topology.kubernetes.io/zone",
    ]);
    for (const { labelSelector } of pod.spec.topologySpreadConstraints) expect(labelSelector).toEqual(selector);
    expect(manifests.one("PodDisruptionBudget").spec).toMatchObject({ maxUnavailable: 1, selector });
    expect(manifests.one("Service").spec.selector).toEqual(selector.matchLabels);
    const [container] = pod.spec.containers;
    expect(container.image).toBe("arc-primer:0.1.0");
    expect(container.env).toEqual([
      { name: "NODE_OPTIONS", value: "--max-old-space-size=192 --max-semi-space-size=4" },
      { name: "MALLOC_ARENA_MAX", value: "2" },
    ]);
    expect(container.livenessProbe.httpGet.path).toBe("/healthz");
    expect(container.readinessProbe.httpGet.path).toBe("/readyz");
  });

  test("take image, ports, network, priority and placement from the values", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const values = { ...valueSets["the host's network and placement"], image: { repository: "r.example/a", digest } };
    const { spec, metadata } = render(values).one("Deployment").spec.template;
    const [container] = spec.containers;
    expect(container.image).toBe(`r.example/a@${digest}`);
    expect(container.args).toEqual(expect.arrayContaining(["--port=10260", "--ops-port=10261"]));
    expect(container.ports.map(({ containerPort }: Manifest) => containerPort)).toEqual([10260, 10261]);
    expect(spec).toMatchObject({
      hostNetwork: true,
      dnsPolicy: "ClusterFirstWithHostNet",
      priorityClassName: "system-cluster-critical",
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ key: "control-plane" }],
      affinity: { nodeAffinity: {} },
      imagePullSecrets: [{ name: "pull" }],
    });
    expect(metadata.labels).toMatchObject({ team: "ci" });
    expect(metadata.annotations).toEqual({ note: "1" });
    expect(render(values).one("Deployment").spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });
});

describe.runIf(isHelmHere)("the configuration", () => {
  const configOf = (values: Values) => render(values).one("ConfigMap", "arc-primer").data["config.yaml"] as string;

  test("is the value, in a folder of its own, so that a change needs no restart", () => {
    const config = {
      mode: "audit",
      profiles: { gpu: { docker: { daemon: { mtu: 1400 } } } },
      rules: [{ profile: "gpu" }],
    };
    expect(parse(configOf({ config }))).toEqual({
      apiVersion: "arc-primer.dev/v1alpha1",
      kind: "PrimerConfiguration",
      ...config,
    });
    const mount = podSpec({ config }).containers[0].volumeMounts[0];
    expect(mount).toEqual({ name: "config", mountPath: "/config", readOnly: true });
    expect(podSpec({ config })).toEqual(podSpec());
    expect(JSON.stringify(render({ config }).one("Deployment"))).not.toContain("checksum");
  });

  const golden = fileURLToPath(new URL("golden", import.meta.url));
  test.each(readdirSync(golden))("may be anything that the webhook takes: the one of test/golden/%s", (name) => {
    const config = parse(readFileSync(join(golden, name, "config.yaml"), "utf8")) as Values;
    const { apiVersion: _, kind: __, ...values } = config;
    expect(parse(configOf({ config: values }))).toEqual(config);
  });

  test("may have every form of value that the webhook takes", () => {
    const daemon = {
      image: "harbor.example.com:8443/hub/docker_x/dind__a:29@sha256:" + "0".repeat(64),
      env: { "a.b-C_1": "", _X: "1", ".a": "" },
      extraArgs: ["--storage-driver=overlay2", "--debug", "--label=a=b c"],
      resources: { limits: { cpu: 2, memory: "1.5Gi", "ephemeral-storage": "1e9" }, requests: { cpu: ".5" } },
    };
    const packages = ["curl", "libc6:i386", "git=1:2.39*", "g++"];
    const hosts = ["docker.io", "localhost", "a_b-c.example:5000", "[::1]:5000", "10.0.0.1"];
    const registries = Object.fromEntries(hosts.map((host) => [host, {}]));
    const config = { profiles: { default: { docker: { daemon }, prerequisites: { packages }, registries } } };
    expect(() => parseConfig(configOf({ config }), "config.yaml")).not.toThrow();
  });

  test.each([
    ["1.28.15", "container"],
    ["1.29.0", "sidecar"],
    ["1.29.3-eks-1", "sidecar"],
    ["1.34.1", "sidecar"],
  ])("DinD that is added on Kubernetes %s is a %s, unless the profile says otherwise", (version, layout) => {
    const sidecar = { inject: true, injected: { layout: "sidecar" } };
    const profiles = { default: { docker: { inject: true, wait: {} } }, own: { docker: sidecar }, other: {} };
    const { stdout, stderr } = template({ config: { profiles } }, "--kube-version", version);
    expect(stderr).toBe("");
    const configMap = parseAllDocuments(stdout)
      .map((document) => document.toJS() as Manifest)
      .find((one) => one?.data?.["config.yaml"]);
    const config = parseConfig(configMap.data["config.yaml"], "config.yaml");
    expect(config.profiles["default"]?.docker).toMatchObject({ inject: true, injected: { layout } });
    expect(config.profiles["own"]?.docker.injected.layout).toBe("sidecar");
  });

  test.each(Object.entries(valueSets))("is one that the webhook takes, with %s", (_name, values) => {
    expect(() => parseConfig(configOf(values), "config.yaml")).not.toThrow();
  });
});

describe.runIf(isHelmHere)("the caches", () => {
  test("and the Dockerfile name their images in full, which some runtimes and builders ask for", () => {
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

  test("are one an upstream, and the default profile's last mirrors", () => {
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

  test("leave what else is said of their registry", () => {
    const privateCA = { configMap: { name: "ca" } };
    const config = { profiles: { default: { privateCA, registries: { "docker.io": { privateCA: true } } } } };
    expect(registriesOf(config)).toMatchObject({ privateCA: true, mirrors: [{ url: cacheUrl }] });
  });

  test("come after the mirrors that the default profile has from its base", () => {
    const mirrors = [{ url: "https://mirror.example.com" }];
    const base = { registries: { "docker.io": { mirrors } } };
    const between = { extends: "base", registries: { "docker.io": {}, "ghcr.io": { mirrors: [] } } };
    const config = { profiles: { base, between, default: { extends: "between" } } };
    expect(registriesOf(config)?.mirrors.map(({ url }) => url)).toEqual(["https://mirror.example.com", cacheUrl]);
  });

  test("keep what they have on the node, or in a volume that goes with the release", () => {
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

  test("reach their upstreams through a proxy, and by a CA of yours", () => {
    const proxy = { name: "HTTPS_PROXY", value: "http://proxy.example.com:3128" };
    const { spec } = render({ registryCache: { enabled: true, env: [proxy], caConfigMap: "ca" } }).one("StatefulSet");
    const { containers, volumes } = spec.template.spec;
    expect(containers[0].env).toContainEqual(proxy);
    // Go reads this folder beside the system's own file of certificates (crypto/x509).
    expect(containers[0].env).toContainEqual({ name: "SSL_CERT_DIR", value: "/ca" });
    expect(containers[0].volumeMounts).toContainEqual({ name: "ca", mountPath: "/ca", readOnly: true });
    expect(volumes).toContainEqual({ name: "ca", configMap: { name: "ca" } });
  });

  test("have names that fit, and that differ", () => {
    const long = `${"very.".repeat(9)}long`;
    const hosts = ["docker.io", "a.b", "a-b", "a_b", long, `${long}er`, "b.example:5000"];
    const upstreams = Object.fromEntries(hosts.map((host) => [host, {}]));
    const names: string[] = render({ registryCache: { enabled: true, upstreams } })
      .all.filter(({ kind }) => kind === "StatefulSet")
      .map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(hosts.length);
    // A pod of it is called NAME-0, and its revision's label has ten characters more.
    for (const name of names) expect(name).toMatch(/^arc-primer-cache-[a-z0-9]([a-z0-9-]{0,34}[a-z0-9])$/);
    expect(names).toEqual(expect.arrayContaining(["arc-primer-cache-a-b", "arc-primer-cache-b-example-5000"]));
  });

  test("an upstream is taken away by null", () => {
    const upstreams = { "docker.io": null, "ghcr.io": {} };
    expect(render({ registryCache: { enabled: true, upstreams } }).one("StatefulSet").metadata.name).toBe(
      "arc-primer-cache-ghcr-io",
    );
  });
});

function isPromql(query: string): boolean {
  let isOne = true;
  promql.parse(query).iterate({ enter: ({ type }) => void (isOne &&= !type.isError) });
  return isOne;
}

describe.runIf(isHelmHere)("what bounds the webhook's account and its clients", () => {
  const policies = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];

  test("the account may change the caBundle and nothing else, unless that is switched off", () => {
    const { spec } = render().one("ValidatingAdmissionPolicy");
    expect(spec.failurePolicy).toBe("Fail");
    expect(spec.matchConditions[0].expression).toBe(
      'request.userInfo.username == "system:serviceaccount:primer-system:arc-primer"',
    );
    expect(render().one("ValidatingAdmissionPolicyBinding").spec).toEqual({
      policyName: "arc-primer",
      validationActions: ["Deny"],
    });
    for (const tls of [{ selfManaged: { admissionPolicy: false } }, { provider: "cert-manager" }]) {
      for (const kind of policies) expect(render({ tls }).kinds()).not.toContain(kind);
    }
  });

  test("every field of an entry is held, but for the caBundle", () => {
    const { validations } = render().one("ValidatingAdmissionPolicy").spec;
    const entries = render().one("MutatingWebhookConfiguration").webhooks as object[];
    const fields = new Set(entries.flatMap((entry) => Object.keys(entry)));
    fields.delete("clientConfig");
    const text = (validations as { expression: string }[]).map(({ expression }) => expression).join("\n");
    for (const field of [...fields, "matchPolicy"]) expect(text).toContain(`o.?${field} == w.?${field}`);
    for (const field of ["url", "service"])
      expect(text).toContain(`o.clientConfig.?${field} == w.clientConfig.?${field}`);
  });

  test("a CA for clients is mounted and named", () => {
    const { containers, volumes } = podSpec({ webhook: { clientCA: { configMap: "kube-apiserver" } } });
    expect(containers[0].args).toContain("--tls-client-ca-file=/client-ca/ca.crt");
    expect(containers[0].volumeMounts).toContainEqual({ name: "client-ca", mountPath: "/client-ca", readOnly: true });
    expect(volumes).toContainEqual({ name: "client-ca", configMap: { name: "kube-apiserver" } });
    expect(podSpec().containers[0].args.join()).not.toContain("client-ca");
  });

  test("on the host's network it listens on the node's own address, and metrics only where they are collected", () => {
    const values = { hostNetwork: true, webhook: { port: 10260 } };
    const [quiet] = podSpec(values).containers;
    expect(quiet.args).toEqual(expect.arrayContaining(["--host=$(NODE_ADDRESS)", "--ops-host=127.0.0.1"]));
    expect(quiet.readinessProbe.httpGet).toEqual({ host: "127.0.0.1", path: "/readyz", port: "ops" });
    const [monitored] = podSpec({ ...values, serviceMonitor: { enabled: true } }).containers;
    expect(monitored.args.join()).not.toContain("--ops-host");
    expect(monitored.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "ops" });
  });
});

describe.runIf(isHelmHere)("policy and monitoring", () => {
  test("the network policy lets in what is asked for, and out to the API server at most", () => {
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

  test("alerts and dashboard speak of metrics that there are", async () => {
    const { createMetrics } = await import("../src/metrics.ts");
    const metrics = createMetrics({ processMetrics: false });
    metrics.certificateExpiry(1);
    const { text } = await metrics.expose();
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

  test("on a refused configuration stay until a good one is read", () => {
    expect(rule("ArcPrimerReloadRefused")).toMatchObject({
      expr: 'min by (what) (arc_primer_last_reload_accepted{namespace="primer-system"}) == 0',
      for: "5m",
    });
  });

  test("on new counts ask whether there were scrapes before", () => {
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

  test("the dashboard finds its namespaces by a metric that is there before the first pod", () => {
    const dashboard = JSON.parse(render(everything).one("ConfigMap", "arc-primer-dashboard").data["arc-primer.json"]);
    const { query } = dashboard.templating.list.find(({ name }: Manifest) => name === "namespace");
    expect(query).toBe("label_values(arc_primer_certificate_expiry_timestamp_seconds, namespace)");
  });
});

describe.runIf(isHelmHere)("the notes", () => {
  const notes = (values: Values) =>
    helm(
      ["install", "primer", chartFolder, "-n", "ci", "--dry-run=client", "--values", "-"],
      JSON.stringify(withRepository(values)),
    ).stdout.split("\nNOTES:\n")[1];

  test("say how to read the log of every replica, and where nothing is primed", () => {
    const { labels } = render().one("Deployment").spec.template.metadata;
    const [, selector = ""] = /kubectl logs -n ci -l (\S+) --prefix/.exec(notes({}) ?? "") ?? [];
    expect(selector).toContain("app.kubernetes.io/instance=primer");
    expect(selector).toContain(`app.kubernetes.io/component=${labels["app.kubernetes.io/component"]}`);
    expect(notes({})).toContain('("configuration read")');
    expect(notes({})).toContain("own namespace, ci, and in kube-system are never primed");
  });
});

describe.runIf(isHelmHere)("helm test", () => {
  const roleAndNamespace = (values: Values) => {
    const manifests = render(values);
    return { namespace: manifests.hook("Namespace"), role: manifests.hook("Role") };
  };

  test("makes a namespace for itself, and may create pods there and no more", () => {
    const { namespace, role } = roleAndNamespace({});
    // Helm deletes it by its name: it must not be one that somebody has.
    expect(namespace.metadata.name).toMatch(/^arc-primer-helm-test-[0-9a-f]{8}$/);
    expect(role.metadata.name).toBe(namespace.metadata.name);
    expect(namespace.metadata.labels["arc-primer.dev/inject"]).toBe("enabled");
    expect(role.metadata.namespace).toBe(namespace.metadata.name);
    expect(role.rules).toEqual([{ apiGroups: [""], resources: ["pods"], verbs: ["create"] }]);
  });

  test("first has the configuration checked that the webhook would read at its next start", () => {
    const manifests = render();
    const { initContainers, volumes } = manifests.hook("Pod").spec;
    expect(initContainers[0].args).toEqual(["config", "check", "/config/config.yaml"]);
    expect(initContainers[0].image).toBe(podSpec().containers[0].image);
    expect(initContainers[0].volumeMounts).toEqual([{ name: "config", mountPath: "/config", readOnly: true }]);
    expect(volumes[0]).toEqual(podSpec().volumes[0]);
  });

  test("says in mode audit that it can tell nothing, and fails", () => {
    const { env } = render({ config: { mode: "audit" } }).hook("Pod").spec.containers[0];
    expect(env).toContainEqual({ name: "MODE", value: "audit" });
    const script = join(chartFolder, "files/helm-test.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", env: { MODE: "audit" } });
    expect(stderr).toContain("Nothing was tested but the configuration");
    expect(status).toBe(1);
  });

  test("asks for image volumes where a profile needs them", () => {
    const asked = (values: Values) =>
      render(values)
        .hook("Pod")
        .spec.containers[0].env.find(({ name }: { name: string }) => name === "IMAGE_VOLUMES").value as string;
    expect(asked({})).toBe("false");
    expect(asked({ config: { profiles: { a: { docker: { externals: "memory" } }, b: {} } } })).toBe("false");
    expect(asked({ config: { profiles: { a: {}, b: { docker: { externals: "volume" } } } } })).toBe("true");
  });

  test("or takes one that is there", () => {
    const { namespace, role } = roleAndNamespace({ test: { namespace: "runners" } });
    expect(namespace).toBeUndefined();
    expect(role.metadata.namespace).toBe("runners");
  });
});

describe.runIf(isHelmHere)("bad values are refused, by name:", () => {
  const mirror = (url: string) => ({
    config: { profiles: { gpu: { registries: { "docker.io": { mirrors: [{ url }] } } } } },
  });
  test.each<[string, Values, RegExp[]]>([
    ["an unknown key", { replica: 3 }, [/replica'/]],
    ["an unknown key in a part", { webhook: { timeoutSecond: 3 } }, [/\/webhook'/, /timeoutSecond'/]],
    [
      "an unknown setting",
      { config: { profiles: { default: { dokcer: {} } } } },
      [/config\/profiles\/default/, /dokcer/],
    ],
    ["a time-out over 30 s", { webhook: { timeoutSeconds: 31 } }, [/webhook\/timeoutSeconds/, /31/, /30/]],
    ["a time-out of 0 s", { webhook: { timeoutSeconds: 0 } }, [/webhook\/timeoutSeconds/]],
    [
      "a mirror that is no URL",
      mirror("mirror.example.com"),
      [/config\/profiles\/gpu\/registries\/docker\.io\/mirrors\/0\/url/],
    ],
    [
      "a wait without a unit",
      { config: { profiles: { a: { docker: { wait: { timeout: "soon" } } } } } },
      [/profiles\/a\/docker\/wait\/timeout/],
    ],
    [
      "an exit code of 0",
      { config: { profiles: { a: { docker: { wait: { exitCode: 0 } } } } } },
      [/docker\/wait\/exitCode/],
    ],
    ...(
      [
        [
          "an amount that is none",
          { docker: { daemon: { resources: { limits: { memory: "lots" } } } } },
          /limits\/memory/,
        ],
        ["a package that is none", { prerequisites: { packages: ["curl; rm"] } }, /prerequisites\/packages\/0/],
        ["a size that is none", { prerequisites: { sizeLimit: "2 GB" } }, /prerequisites\/sizeLimit/],
        ["an image that is none", { docker: { daemon: { image: "Docker DinD" } } }, /daemon\/image/],
        ["a flag in two words", { docker: { daemon: { extraArgs: ["-D"] } } }, /daemon\/extraArgs\/0/],
        ["a variable's name that is none", { docker: { daemon: { env: { "A B": "" } } } }, /propertyName 'A B'/],
      ] as const
    ).map(([name, gpu, said]): [string, Values, RegExp[]] => [name, { config: { profiles: { gpu } } }, [said]]),
    [
      "an upstream with credentials",
      { registryCache: { enabled: true, upstreams: { "docker.io": { url: "https://me:secret@hub.example.com" } } } },
      [/registryCache\.upstreams\.docker\.io\.url: it must not contain credentials; name a Secret/],
    ],
    ["a test in the release's own namespace", { test: { namespace: "primer-system" } }, [/test\.namespace/]],
    ["a test in kube-system", { test: { namespace: "kube-system" } }, [/test\.namespace/, /never primed/]],
    ...(
      [
        ["webhook"],
        ["webhook", "failurePolicy"],
        ["podSecurity", "default"],
        ["tls", "provider"],
        ["hostNetwork"],
        ["registryCache", "storage", "size"],
      ] as const
    ).map((path): [string, Values, RegExp[]] => [
      `null as ${path.join(".")}`,
      path.reduceRight<unknown>((value, key) => ({ [key]: value }), null) as Values,
      [new RegExp(`at '${["", ...path.slice(0, -1)].join("/")}': missing property '${path.at(-1)}'`)],
    ]),
    [
      "an issuer without a name",
      { tls: { provider: "cert-manager", certManager: { issuerRef: { kind: "ClusterIssuer" } } } },
      [/tls\.certManager\.issuerRef\.name/],
    ],
    ["a name that is a number", { fullnameOverride: "123" }, [/fullnameOverride/]],
    ["another provider", { tls: { provider: "self-signed" } }, [/tls\/provider/, /self-managed/]],
    ["existing-secret without a Secret", { tls: { provider: "existing-secret" } }, [/tls\.existingSecret\.name/]],
    ["two ports that are one", { webhook: { port: 8080 } }, [/webhook\.opsPort: .*another than webhook\.port/]],
    ["the host's network at the kubelet's port", { hostNetwork: true }, [/webhook\.port/, /kubelet/]],
  ])("%s", (_name, values, said) => {
    const message = refusal(values);
    for (const part of said) expect(message).toMatch(part);
    expect(message).not.toContain("secret@");
  });
});
