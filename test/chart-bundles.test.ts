import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "./support/bundles.ts";
import { chartFolder, chartVersion, helm, render, template, withRepository } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { findTool, haveTools } from "./support/tools.ts";

// The package bundles, as Helm renders them. test/cluster/package-bundles.machine.test.ts tests them on a cluster.

const isHelmHere = haveTools("helm");
const image = "ghcr.io/actions/actions-runner:2.330.0";
const bundled = (more: Values = {}, others: Values = {}) =>
  render({ packageBundles: [{ profile: "default", image, ...more }], ...others });
const servers = (manifests = bundled()): Manifest[] =>
  manifests.all.filter(({ kind, metadata }) => kind === "Deployment" && metadata.name !== "arc-primer");
const podOf = (manifests?: ReturnType<typeof render>) => servers(manifests)[0]!.spec.template.spec;
const containers = (manifests?: ReturnType<typeof render>) =>
  Object.fromEntries(podOf(manifests).containers.map((one: Manifest) => [one.name, one])) as Record<string, Manifest>;
const refusal = (packageBundles: Values[], config: Values = {}) => template({ packageBundles, config }).stderr;
const mountsOf = (container: Manifest) =>
  Object.fromEntries(container.volumeMounts.map(({ name, readOnly = false }: Manifest) => [name, readOnly]));

describe.runIf(isHelmHere)("package bundles", () => {
  test("are off by default", () => {
    expect(render().text).not.toContain("bundle");
  });

  test("are one Deployment per architecture, on its nodes, behind their own Service", () => {
    const manifests = bundled({ architectures: ["amd64", "arm64"] });
    expect(servers(manifests).map(({ spec }) => spec.template.spec.nodeSelector)).toEqual(
      expect.arrayContaining([{ "kubernetes.io/arch": "amd64" }, { "kubernetes.io/arch": "arm64" }]),
    );
    for (const { metadata, spec } of servers(manifests)) {
      const service = manifests.one("Service", metadata.name);
      expect(service.spec.selector).toEqual(spec.selector.matchLabels);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
      const { args } = spec.template.spec.containers[0];
      expect(args).toContain(`--url=http://${metadata.name}.primer-system.svc.cluster.local:8081`);
      expect(args).toContain(`--index=primer-system/arc-primer-bundles/${metadata.name}`);
      expect(args).toContain(`--architecture=${spec.template.spec.nodeSelector["kubernetes.io/arch"]}`);
    }
  });

  test("have names within the length limit, unique by profile, image and architecture", () => {
    const profile = "a.very-long.profile-name.with-many-letters-in-it";
    const packageBundles = [
      { profile: "default", image: "a:1" },
      { profile: "default", image: "a:2" },
      { profile, image: "a:1", architectures: ["amd64", "arm64"] },
    ];
    const names = servers(render({ packageBundles, config: { profiles: { [profile]: {} } } })).map(
      ({ metadata }) => metadata.name as string,
    );
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^arc-primer-bundle-[a-z0-9]([a-z0-9-]{0,33}[a-z0-9])$/);
  });

  test("are built in exactly the named runner image, as root, without access to a token, a Secret or the bundles", () => {
    const { build } = containers(bundled({}, { global: { imageRegistry: "mirror.example.com" } }));
    expect(build.image).toBe(image);
    expect(build.securityContext).toEqual({ runAsUser: 0, runAsGroup: 0, runAsNonRoot: false });
    expect(mountsOf(build)).toEqual({ handover: false, plan: true });
    expect(podOf().automountServiceAccountToken).toBe(false);
    expect(build.env).toBeUndefined();
    const mirrored = bundled({ pullImage: "harbor.example.com/ghcr/runner:1" });
    expect(containers(mirrored).build.image).toBe("harbor.example.com/ghcr/runner:1");
    expect(containers(mirrored).serve.args).toContain(`--image=${image}`);
  });

  test("are served by the webhook's image with restricted rights, in the only container that can write them", () => {
    const { serve } = containers();
    expect(serve.image).toBe(`arc-primer:${chartVersion}`);
    expect(serve.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(mountsOf(serve)).toEqual({ config: true, store: false, handover: false, plan: false, token: true });
    expect(podOf().volumes.find(({ name }: Manifest) => name === "token").projected.sources).toEqual([
      { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    ]);
    expect(podOf().securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 });
  });

  test("can read and change only one ConfigMap, which the chart creates empty", () => {
    const manifests = bundled();
    const { rules } = manifests.one("Role", "arc-primer-bundles");
    expect(rules).toEqual([
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["arc-primer-bundles"], verbs: ["get", "patch"] },
    ]);
    const index = manifests.one("ConfigMap", "arc-primer-bundles");
    expect(Object.keys(index).toSorted()).toEqual(["apiVersion", "kind", "metadata"]);
    expect(manifests.one("RoleBinding", "arc-primer-bundles").subjects[0].name).toBe(podOf().serviceAccountName);
  });

  test("reach the webhook through a volume with the configured entries, without additional permissions", () => {
    const manifests = bundled({}, { tls: { provider: "cert-manager" } });
    const {
      containers: webhook,
      volumes,
      automountServiceAccountToken,
    } = manifests.one("Deployment", "arc-primer").spec.template.spec;
    const [{ metadata }] = servers(manifests) as [Manifest];
    expect(webhook[0].args).toContain("--bundles=/bundles");
    expect(webhook[0].volumeMounts).toContainEqual({ name: "bundles", mountPath: "/bundles", readOnly: true });
    expect(volumes).toContainEqual({
      name: "bundles",
      configMap: { name: "arc-primer-bundles", optional: true, items: [{ key: metadata.name, path: metadata.name }] },
    });
    expect(automountServiceAccountToken).toBe(false);
  });

  test("are updated one pod at a time, and stay reachable while the builder is not running", () => {
    const manifests = bundled();
    const [{ metadata, spec }] = servers(manifests) as [Manifest];
    expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(manifests.one("Service", metadata.name).spec.publishNotReadyAddresses).toBe(true);
    expect(containers().serve.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "ops" });
    expect(manifests.one("PodDisruptionBudget", metadata.name).spec.selector).toEqual(spec.selector);
  });

  test("follow the configuration without new pods", () => {
    const config = { profiles: { default: { prerequisites: { packages: ["curl"] } } } };
    expect(servers(bundled({}, { config }))).toEqual(servers());
  });

  test("get times, sizes, resources and placement from the values", () => {
    const more = {
      interval: "12h",
      buildTimeout: "1h",
      sizeLimit: "4Gi",
      replicas: 2,
      build: { resources: { limits: { memory: "4Gi" } } },
      env: [{ name: "https_proxy", value: "http://proxy:3128" }],
      imagePullSecrets: [{ name: "runners" }],
      nodeSelector: { pool: "runners" },
      tolerations: [{ key: "runners", operator: "Exists" }],
    };
    const manifests = bundled(more, { imagePullSecrets: [{ name: "all" }] });
    const { serve, build } = containers(manifests);
    expect(serve.args).toEqual(expect.arrayContaining(["--interval=12h", "--build-timeout=1h", "--size-limit=4Gi"]));
    expect(build.env).toEqual(more.env);
    expect(build.resources).toEqual({ requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "4Gi" } });
    expect(podOf(manifests)).toMatchObject({
      nodeSelector: { pool: "runners", "kubernetes.io/arch": "amd64" },
      tolerations: more.tolerations,
      imagePullSecrets: [{ name: "all" }, { name: "runners" }],
    });
    const sizes = podOf(manifests).volumes.filter(({ name }: Manifest) => ["store", "handover"].includes(name));
    expect(sizes.map(({ emptyDir }: Manifest) => emptyDir.sizeLimit)).toEqual(["4Gi", "4Gi"]);
    expect(servers(manifests)[0]!.spec.replicas).toBe(2);
  });

  test("leave the user to OpenShift, except for the builder", () => {
    const manifests = bundled({}, { openshift: true });
    expect(podOf(manifests).securityContext).not.toHaveProperty("runAsUser");
    expect(containers(manifests).build.securityContext.runAsUser).toBe(0);
  });

  test("have the common labels and annotations", () => {
    const manifests = bundled({}, { commonLabels: { team: "ci" }, commonAnnotations: { contact: "ci" } });
    const ours = manifests.all.filter(({ metadata }) => metadata.name.includes("bundle"));
    expect(ours.length).toBeGreaterThan(6);
    for (const { metadata } of ours) {
      expect(metadata).toMatchObject({ labels: { team: "ci" }, annotations: { contact: "ci" } });
    }
    expect(servers(manifests)[0]!.spec.selector.matchLabels).not.toHaveProperty("team");
  });

  test("can be downloaded by pods in labelled namespaces, and by each other", () => {
    const manifests = bundled({}, { networkPolicy: { enabled: true, opsFrom: [{ podSelector: {} }] } });
    const { ingress, podSelector, policyTypes } = manifests.one("NetworkPolicy", "arc-primer-bundles").spec;
    expect(policyTypes).toEqual(["Ingress"]);
    expect(ingress).toEqual([
      {
        ports: [{ port: "bundles", protocol: "TCP" }],
        from: [{ namespaceSelector: { matchLabels: { "arc-primer.dev/inject": "enabled" } } }, { podSelector }],
      },
      { ports: [{ port: "ops", protocol: "TCP" }], from: [{ podSelector: {} }] },
    ]);
    expect(podSelector.matchExpressions[0].values).toEqual(servers(manifests).map(({ metadata }) => metadata.name));
    const unrestricted = bundled({}, { networkPolicy: { enabled: true, bundleFrom: [] } });
    expect(unrestricted.one("NetworkPolicy", "arc-primer-bundles").spec.ingress[0]).not.toHaveProperty("from");
  });

  test("are selected by the monitor with the same labels", () => {
    const manifests = bundled({}, { serviceMonitor: { enabled: true }, networkPolicy: { enabled: true } });
    const monitor = manifests.one("ServiceMonitor", "arc-primer-bundles").spec;
    expect(monitor.selector).toEqual(manifests.one("NetworkPolicy", "arc-primer-bundles").spec.podSelector);
    expect(monitor.endpoints).toEqual([{ port: "ops", path: "/metrics", interval: "30s" }]);
    const rules = bundled({}, { prometheusRule: { enabled: true } }).one("PrometheusRule").spec.groups[0].rules;
    expect(rules.filter(({ alert }: Manifest) => alert.startsWith("ArcPrimerBundle"))).toHaveLength(3);
    expect(JSON.stringify(render({ prometheusRule: { enabled: true } }).one("PrometheusRule"))).not.toContain("Bundle");
  });

  test("are in the notes, with the Pod Security level that the namespace must allow", () => {
    const values = withRepository({ packageBundles: [{ profile: "default", image }] });
    const args = ["install", "primer", chartFolder, "-n", "ci", "--dry-run=client", "--values", "-"];
    const { stdout } = helm(args, JSON.stringify(values));
    expect(stdout).toMatch(
      /Package bundle of the profile default for ghcr\.io\/actions\/actions-runner:2\.330\.0 \(amd64\): primer-arc-primer-bundle-default-[0-9a-f]{8}\n/,
    );
    expect(stdout).toContain("Pod Security level `baseline`");
  });

  test.each<[string, Values[], Values, string]>([
    [
      "an undefined profile",
      [{ profile: "gpu", image }],
      { profiles: { ml: {} } },
      "packageBundles[0].profile: profile gpu is not defined in config.profiles",
    ],
    [
      "a duplicate bundle",
      [
        { profile: "default", image },
        { profile: "default", image, architectures: ["arm64", "amd64"] },
      ],
      {},
      `packageBundles[1]: duplicate bundle for the profile default, the image ${image} and the architecture amd64`,
    ],
    ["no image", [{ profile: "default" }], {}, "image"],
    ["an unknown architecture", [{ profile: "default", image, architectures: ["s390x"] }], {}, "architectures"],
    ["an unknown key", [{ profile: "default", image, schedule: "daily" }], {}, "schedule"],
    ["a duration without a unit", [{ profile: "default", image, interval: "24" }], {}, "interval"],
  ])("%s is rejected", (_what, packageBundles, config, said) => {
    expect(refusal(packageBundles, config)).toContain(said);
  });
});

describe.runIf(isHelmHere && haveTools("validate-pods"))("the pod, for Kubernetes' own validation,", () => {
  const judge = (manifests: ReturnType<typeof render>) => {
    const { metadata, spec } = servers(manifests)[0]!.spec.template;
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: "a", namespace: "primer-system" },
      spec,
    };
    const { stdout } = spawnSync(findTool("validate-pods")!, { input: `${JSON.stringify(pod)}\n`, encoding: "utf8" });
    return JSON.parse(stdout) as object;
  };

  test("is valid, and is allowed by Pod Security baseline and not by restricted", () => {
    const valid = { errors: [], strict: [], warnings: [], refusedBy: ["restricted"] };
    expect(judge(bundled())).toMatchObject(valid);
    expect(judge(bundled({}, { openshift: true }))).toMatchObject(valid);
  });
});

describe.runIf(isHelmHere)("the builder's command", () => {
  const [shell, flag, script] = (isHelmHere ? containers().build.command : []) as [string, string, string];
  const probe = (isHelmHere ? containers().build.livenessProbe.exec.command : []) as string[];
  const inFolder = (text: string, folder: string) => text.replaceAll("/arc-primer/bundle", folder);

  test.each(haveTools("dash", "bash", "busybox") ? [["dash"], ["bash"], ["busybox", "sh"]] : [])(
    "waits for a plan, and then runs the script that the bundle server wrote: %s %s",
    (...words) => {
      const { folder, remove } = temporaryFolder();
      try {
        mkdirSync(join(folder, "plan"));
        const [program = "", ...rest] = words.filter(Boolean);
        const run = (timeout: number) =>
          spawnSync(program, [...rest, flag, inFolder(script, folder)], { encoding: "utf8", timeout });
        expect(shell).toBe("/bin/sh");
        expect(run(1500).error).toMatchObject({ code: "ETIMEDOUT" }); // there is no plan
        writeFileSync(join(folder, "plan/builder"), `echo "$@"`);
        writeFileSync(join(folder, "plan/build"), "1\n");
        expect(run(5000).stdout).toBe(`handover=${folder}\n`);
      } finally {
        remove();
      }
    },
  );

  test("passes the liveness probe until it has to stop", () => {
    const { folder, remove } = temporaryFolder();
    const [program = "", ...args] = probe.map((word) => inFolder(word, folder));
    try {
      mkdirSync(join(folder, "plan"));
      expect(spawnSync(program, args).status).toBe(0);
      writeFileSync(join(folder, "plan/stop"), "");
      expect(spawnSync(program, args).status).toBe(1);
    } finally {
      remove();
    }
  });
});
