import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config/load.ts";
import { chartFolder, chartVersion, helm, render, template, withRepository } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// Options that are common in charts: image names, labels, service accounts, security contexts, probes, policies, monitors.

const isHelmHere = haveTools("helm");
const deployment = (values: Values) => render(values).one("Deployment").spec.template.spec;
const refusal = (values: Values) => template(values).stderr;

describe.runIf(isHelmHere)("the image", () => {
  test("must be set in a chart from a checkout; the error says how", () => {
    const { status, stderr } = helm(["template", "arc-primer", chartFolder]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(
      "image.repository: no image is published for a chart from a checkout. Build an image with the Dockerfile, push it to a registry that your cluster can pull from, and set its name: --set image.repository=registry.example.com/arc-primer",
    );
  });

  test.each<[string, Values, Values, string]>([
    ["only a repository", {}, { repository: "arc-primer" }, `arc-primer:${chartVersion}`],
    ["a registry in the repository", {}, { repository: "r.example/team/a", tag: "1" }, "r.example/team/a:1"],
    [
      "a separate registry",
      {},
      { registry: "r.example:5000", repository: "team/a" },
      `r.example:5000/team/a:${chartVersion}`,
    ],
    [
      "a registry in the repository, which takes precedence",
      {},
      { registry: "r.example", repository: "s.example/a" },
      `s.example/a:${chartVersion}`,
    ],
    [
      "a global registry",
      { imageRegistry: "g.example/hub" },
      { repository: "team/a" },
      `g.example/hub/team/a:${chartVersion}`,
    ],
    [
      "a global registry, which takes precedence",
      { imageRegistry: "g.example" },
      { repository: "r.example/a" },
      `g.example/a:${chartVersion}`,
    ],
  ])("is set by %s", (_name, global, image, want) => {
    const manifests = render({ global, image });
    expect(manifests.one("Deployment").spec.template.spec.containers[0].image).toBe(want);
    expect(manifests.hook("Pod").spec.containers[0].image).toBe(want);
  });

  test("of the caches uses the global registry, too", () => {
    const values = { global: { imageRegistry: "g.example" }, registryCache: { enabled: true } };
    expect(render(values).one("StatefulSet").spec.template.spec.containers[0].image).toMatch(
      /^g\.example\/library\/registry@sha256:/,
    );
  });

  test("is pulled with the chart's Secrets and the global ones, each once", () => {
    const values = {
      global: { imagePullSecrets: ["all", { name: "pull" }] },
      imagePullSecrets: [{ name: "pull" }],
      registryCache: { enabled: true },
    };
    const manifests = render(values);
    for (const { spec } of [
      manifests.one("Deployment").spec.template,
      manifests.one("StatefulSet").spec.template,
      manifests.hook("Pod"),
    ]) {
      expect(spec.imagePullSecrets).toEqual([{ name: "pull" }, { name: "all" }]);
    }
  });
});

describe.runIf(isHelmHere)("global", () => {
  test("rejects unknown keys", () => {
    expect(refusal({ global: { imageRegistery: "r.example" } })).toContain(
      "global.imageRegistery: unknown setting; this chart supports global.imageRegistry and global.imagePullSecrets",
    );
    expect(refusal({ global: { imageRegistry: 3 } })).toContain("/global/imageRegistry");
  });

  test("of a parent chart can contain keys for other charts, and its registry is used", () => {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-parent-"));
    try {
      cpSync(chartFolder, join(folder, "charts/arc-primer"), { recursive: true });
      writeFileSync(join(folder, "Chart.yaml"), "{ apiVersion: v2, name: parent, version: 1.0.0 }");
      const values = {
        global: { storageClass: "fast", imageRegistry: "g.example" },
        "arc-primer": { image: { repository: "a" } },
      };
      const { stdout, stderr } = helm(["template", "parent", folder, "--values", "-"], JSON.stringify(values));
      expect(stderr).toBe("");
      expect(stdout).toContain(`image: g.example/a:${chartVersion}\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.runIf(isHelmHere)("labels and annotations", () => {
  const everywhere = {
    commonLabels: { team: "ci", "app.kubernetes.io/name": "other" },
    commonAnnotations: { contact: "ci" },
    registryCache: { enabled: true },
    networkPolicy: { enabled: true },
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  };

  test.each<[string, Values]>([
    ["self-managed", {}],
    ["cert-manager", { tls: { provider: "cert-manager" } }],
  ])("the common ones are on every object, hooks included, with %s", (_name, values) => {
    for (const { kind, metadata } of render({ ...everywhere, ...values }).all) {
      expect({ kind, ...metadata }).toMatchObject({ labels: { team: "ci" }, annotations: { contact: "ci" } });
      // The chart's own labels take precedence, because selectors depend on them.
      expect(metadata.labels["app.kubernetes.io/name"]).toBe("arc-primer");
    }
  });

  test("common labels are on pods but not in selectors; common annotations are not on pods", () => {
    const manifests = render(everywhere);
    for (const { spec } of [manifests.one("Deployment"), manifests.one("StatefulSet")]) {
      expect(spec.template.metadata.labels.team).toBe("ci");
      expect(spec.selector.matchLabels).not.toHaveProperty("team");
      expect(spec.template.metadata).not.toHaveProperty("annotations");
    }
  });

  test("annotations of one object are only on that object", () => {
    const manifests = render({
      deploymentAnnotations: { of: "deployment" },
      service: { annotations: { of: "service" } },
      serviceAccount: { annotations: { of: "account" } },
    });
    const of = (kind: string) => manifests.one(kind).metadata.annotations.of;
    expect([of("Deployment"), of("Service"), of("ServiceAccount")]).toEqual(["deployment", "service", "account"]);
    expect(manifests.one("ConfigMap").metadata).not.toHaveProperty("annotations");
  });

  test("an annotation prevents AKS from changing the webhook configuration's selectors, and can be removed", () => {
    const annotations = (values: Values) => render(values).one("MutatingWebhookConfiguration").metadata.annotations;
    const enforcer = { "admissions.enforcer/disabled": "true" };
    expect(annotations({})).toEqual(enforcer);
    expect(annotations({ webhook: { annotations: { a: "b" } } })).toEqual({ ...enforcer, a: "b" });
    expect(annotations({ webhook: { annotations: { "admissions.enforcer/disabled": null } } })).toBeUndefined();
  });
});

describe.runIf(isHelmHere)("the service account", () => {
  const subjects = (values: Values) =>
    ["RoleBinding", "ClusterRoleBinding"].map((kind) => render(values).one(kind).subjects[0].name);

  test("can have a custom name, which the bindings and the policy use", () => {
    const values = { serviceAccount: { name: "webhook" } };
    expect(render(values).one("ServiceAccount").metadata.name).toBe("webhook");
    expect(deployment(values).serviceAccountName).toBe("webhook");
    expect(subjects(values)).toEqual(["webhook", "webhook"]);
    expect(render(values).one("ValidatingAdmissionPolicy").spec.matchConditions[0].expression).toContain(
      '"system:serviceaccount:primer-system:webhook"',
    );
  });

  test("can be an existing one, which must be named", () => {
    const values = { serviceAccount: { create: false, name: "there" } };
    expect(render(values).kinds()).not.toContain("ServiceAccount");
    expect(deployment(values).serviceAccountName).toBe("there");
    expect(refusal({ serviceAccount: { create: false } })).toContain("serviceAccount.name: set the name");
  });
});

describe.runIf(isHelmHere)("the pods", () => {
  test("leave user and groups to OpenShift with one value, and otherwise comply with restricted-v2", () => {
    const manifests = render({ openshift: true, registryCache: { enabled: true } });
    for (const { spec } of [
      manifests.one("Deployment").spec.template,
      manifests.one("StatefulSet").spec.template,
      manifests.hook("Pod"),
    ]) {
      for (const key of ["runAsUser", "runAsGroup", "fsGroup"]) expect(spec.securityContext).not.toHaveProperty(key);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const { securityContext } of [...(spec.initContainers ?? []), ...spec.containers]) {
        expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
      }
    }
    // The same constraints apply to the pod that helm test creates.
    expect(readFileSync(join(chartFolder, "files/helm-test.mjs"), "utf8")).not.toContain("runAsUser");
  });

  test("can have other security contexts", () => {
    const { securityContext } = deployment({ podSecurityContext: { runAsUser: 1000 } });
    expect(securityContext).toMatchObject({ runAsUser: 1000, runAsNonRoot: true });
  });

  test("can have additional arguments, variables and volumes, other probes and a revision history limit", () => {
    const values = {
      extraArgs: ["--watch-interval=5s"],
      extraEnv: [{ name: "A", value: "b" }],
      extraVolumes: [{ name: "extra", emptyDir: {} }],
      extraVolumeMounts: [{ name: "extra", mountPath: "/extra" }],
      livenessProbe: { periodSeconds: 20 },
      startupProbe: { failureThreshold: 30 },
      revisionHistoryLimit: 2,
    };
    const { containers, volumes } = deployment(values);
    const [container] = containers;
    expect(container.args.at(-1)).toBe("--watch-interval=5s");
    expect(container.env).toContainEqual({ name: "A", value: "b" });
    expect(volumes).toContainEqual({ name: "extra", emptyDir: {} });
    expect(container.volumeMounts).toContainEqual({ name: "extra", mountPath: "/extra" });
    expect(container.livenessProbe).toEqual({ httpGet: { path: "/healthz", port: "ops" }, periodSeconds: 20 });
    expect(container.readinessProbe).toEqual({ httpGet: { path: "/readyz", port: "ops" }, periodSeconds: 1 });
    expect(container.startupProbe).toEqual({ httpGet: { path: "/healthz", port: "ops" }, failureThreshold: 30 });
    expect(deployment({}).containers[0]).not.toHaveProperty("startupProbe");
    expect(render(values).one("Deployment").spec.revisionHistoryLimit).toBe(2);
  });
});

describe.runIf(isHelmHere)("extra objects", () => {
  test("are installed with the chart, as maps or strings, with template expressions", () => {
    const metadata = { name: "{{ .Release.Name }}-map" };
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }}-text }\n";
    const { all } = render({ extraObjects: [{ apiVersion: "v1", kind: "ConfigMap", metadata }, text] });
    const names = all.filter(({ kind }) => kind === "ConfigMap").map((one) => one.metadata.name);
    expect(names).toEqual(expect.arrayContaining(["arc-primer-map", "arc-primer-text"]));
  });
});

describe.runIf(isHelmHere)("services", () => {
  test("can have IP families, including those of the caches", () => {
    const service = { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6", "IPv4"] };
    const services = render({ service, registryCache: { enabled: true } }).all.filter(({ kind }) => kind === "Service");
    expect(services).toHaveLength(2);
    for (const { spec } of services) expect(spec).toMatchObject(service);
    for (const key of Object.keys(service)) expect(render().one("Service").spec).not.toHaveProperty(key);
  });
});

describe.runIf(isHelmHere)("the webhook's network policy", () => {
  const callers = (networkPolicy: Values): Manifest[] =>
    render({ networkPolicy: { enabled: true, ...networkPolicy } }).one("NetworkPolicy").spec.ingress[0].from;

  test("allows the control plane's addresses, or everything except the pod network, and custom peers", () => {
    expect(callers({})).toBeUndefined();
    expect(callers({ controlPlaneCIDRs: ["10.0.0.1/32"] })).toEqual([{ ipBlock: { cidr: "10.0.0.1/32" } }]);
    expect(callers({ podCIDRs: ["10.244.0.0/16", "fd00::/48"], webhookFrom: [{ podSelector: {} }] })).toEqual([
      { podSelector: {} },
      { ipBlock: { cidr: "0.0.0.0/0", except: ["10.244.0.0/16"] } },
      { ipBlock: { cidr: "::/0", except: ["fd00::/48"] } },
    ]);
  });

  test("is mentioned in the notes as long as it restricts nothing", () => {
    const notes = (networkPolicy: Values) =>
      helm(
        ["install", "primer", chartFolder, "-n", "ci", "--dry-run=client", "--values", "-"],
        JSON.stringify(withRepository({ networkPolicy })),
      ).stdout;
    expect(notes({ enabled: true })).toContain("does not restrict who may call the webhook yet");
    expect(notes({ enabled: true, podCIDRs: ["10.244.0.0/16"] })).not.toContain("does not restrict");
    expect(notes({})).not.toContain("does not restrict");
  });
});

describe.runIf(isHelmHere)("monitoring", () => {
  test("the monitors can have labels, timeouts and relabelings", () => {
    const relabelings = [{ action: "labeldrop", regex: "pod" }];
    const serviceMonitor = { enabled: true, scrapeTimeout: "5s", relabelings, metricRelabelings: relabelings };
    const manifests = render({ serviceMonitor, registryCache: { enabled: true } });
    for (const [name, port] of [
      ["arc-primer", "ops"],
      ["arc-primer-caches", "metrics"],
    ] as const) {
      expect(manifests.one("ServiceMonitor", name).spec.endpoints).toEqual([
        { port, path: "/metrics", interval: "30s", scrapeTimeout: "5s", relabelings, metricRelabelings: relabelings },
      ]);
    }
  });

  const packageBundles = [{ profile: "default", image: "runner:1" }];
  const rules = (values: Values): Manifest[] =>
    render({ registryCache: { enabled: true }, packageBundles, prometheusRule: { enabled: true, ...values } }).one(
      "PrometheusRule",
    ).spec.groups[0].rules;

  test("each alert has a heading in docs/operations/alerts.md, and links to it if the page's URL is known", () => {
    const page = readFileSync(join(chartFolder, "../../docs/operations/alerts.md"), "utf8");
    for (const { alert, annotations } of rules({ runbookURL: "https://wiki.example.com/alerts" })) {
      expect(annotations.runbook_url).toBe(`https://wiki.example.com/alerts#${alert.toLowerCase()}`);
      expect(page).toContain(`\n## ${alert}\n`);
    }
    for (const { annotations } of rules({})) expect(annotations).not.toHaveProperty("runbook_url");
  });

  test("the page's URL can come from the chart's home and version", () => {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-home-"));
    try {
      cpSync(chartFolder, folder, { recursive: true });
      appendFileSync(join(folder, "Chart.yaml"), "home: https://git.example.com/arc-primer/\n");
      const values = ["image.repository=a", "prometheusRule.enabled=true"].flatMap((value) => ["--set", value]);
      expect(helm(["template", "arc-primer", folder, ...values]).stdout).toContain(
        `runbook_url: https://git.example.com/arc-primer/blob/v${chartVersion}/docs/operations/alerts.md#arcprimererrors\n`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("blocked runners are critical", () => {
    const { labels } = rules({}).find(({ alert }) => alert === "ArcPrimerBlocksRunners");
    expect(labels.severity).toBe("critical");
  });
});

describe.runIf(isHelmHere)("errors that the schema cannot express", () => {
  // The webhook checks these rules: at startup, after a change (in its log and metric), and in helm test.
  test.each<[string, Values, RegExp]>([
    ["a profile that extends itself", { profiles: { gpu: { extends: "gpu" } } }, /gpu\.extends/],
    [
      "profiles that extend each other, with a cache",
      { profiles: { default: { extends: "gpu" }, gpu: { extends: "default" } } },
      /extends/,
    ],
    ["an undefined profile in a rule", { rules: [{ profile: "gpu" }] }, /rules\[0\]\.profile/],
    [
      "credentials in a URL",
      { profiles: { default: { registries: { "ghcr.io": { mirrors: [{ url: "https://me:secret@m.example" }] } } } } },
      /credentials/,
    ],
    ["an exit code that ARC interprets", { profiles: { default: { docker: { wait: { exitCode: 7 } } } } }, /exitCode/],
  ])("are reported by the webhook: %s", (_name, config, said) => {
    const text = render({ config, registryCache: { enabled: true } }).one("ConfigMap", "arc-primer").data[
      "config.yaml"
    ];
    expect(() => parseConfig(text, "config.yaml")).toThrow(said);
  });

  test("are reported by the webhook: an invalid registry name among the upstreams", () => {
    const values = { registryCache: { enabled: true, upstreams: { "index.docker.io": {} } } };
    const text = render(values).one("ConfigMap", "arc-primer").data["config.yaml"];
    expect(() => parseConfig(text, "config.yaml")).toThrow(/index\.docker\.io/);
  });
});

describe.runIf(isHelmHere)("helm test", () => {
  test("creates a namespace that enforces Pod Security `restricted`", () => {
    expect(render().hook("Namespace").metadata.labels).toMatchObject({
      "arc-primer.dev/inject": "enabled",
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });
});

describe("the chart's metadata", () => {
  test("names no icon, because none exists", () => {
    const text = readFileSync(join(chartFolder, "Chart.yaml"), "utf8");
    expect(text).not.toMatch(/^icon:/m);
    expect(text).toMatch(/^kubeVersion: /m);
    expect(existsSync(join(chartFolder, "values.schema.json"))).toBe(true);
  });
});
