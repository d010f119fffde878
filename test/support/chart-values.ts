import { selfSigned } from "../../src/tls/certificate.ts";
import { render } from "./helm.ts";
import type { Manifest, Values } from "./helm.ts";

// Chart values for several tests.

/** A CA that only tests use. */
export const { cert: caBundle } = await selfSigned(["a.example"], {
  from: new Date("2026-01-01"),
  to: new Date("2036-01-01"),
});
/** Values that turn on all features. */
export const everything = {
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
  packageBundles: [{ profile: "default", image: "ghcr.io/actions/actions-runner:2.330.0" }],
};
/** Typical sets of values, by their purpose. */
export const valueSets: Record<string, Values> = {
  "the defaults": {},
  "cert-manager": { tls: { provider: "cert-manager" } },
  "cert-manager with an issuer": {
    tls: { provider: "cert-manager", certManager: { issuerRef: { name: "corporate", kind: "ClusterIssuer" } } },
  },
  "a Secret": { tls: { provider: "existing-secret", existingSecret: { name: "mine", caBundle } } },
  "all features": everything,
  "the host network and placement": {
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
    packageBundles: [
      {
        profile: "default",
        image: "r.example/runner:1",
        architectures: ["amd64", "arm64"],
        interval: "12h",
        buildTimeout: "1h",
        sizeLimit: "4Gi",
        replicas: 2,
        build: { resources: { limits: { memory: "4Gi" } } },
        serve: { resources: { requests: { cpu: "1" } } },
        env: [{ name: "https_proxy", value: "http://proxy:3128" }],
        imagePullPolicy: "Always",
        imagePullSecrets: [{ name: "runners" }],
        priorityClassName: "low",
        annotations: { a: "b" },
        podAnnotations: { a: "b" },
        podLabels: { a: "b" },
        nodeSelector: { pool: "runners" },
        tolerations: [{ key: "runners", operator: "Exists" }],
        affinity: { nodeAffinity: {} },
      },
    ],
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

/** The spec of the webhook's pods that the chart renders with these values. */
export const podSpec = (values?: Values): Manifest => render(values).one("Deployment", "arc-primer").spec.template.spec;
