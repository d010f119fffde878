import { describe, expect, test } from "vitest";
import { mutatePaths } from "../src/webhook/routes.ts";
import { podSpec, valueSets } from "./support/chart-values.ts";
import { chartVersion, render } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// The webhook's configuration, its pods and its permissions, as Helm renders them.

const isHelmHere = haveTools("helm");

describe.runIf(isHelmHere)("the MutatingWebhookConfiguration", () => {
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

  test.each(levels)(
    "selects each namespace with exactly one entry, by its Pod Security level; default level %s",
    (level) => {
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
    },
  );

  test("selects only runner pods, and has a short timeout", () => {
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

  test("the failure policy and the timeout can be set", () => {
    for (const webhook of registered({ webhook: { failurePolicy: "Fail", timeoutSeconds: 30 } }).webhooks) {
      expect(webhook).toMatchObject({ failurePolicy: "Fail", timeoutSeconds: 30 });
    }
  });
});

describe.runIf(isHelmHere)("the webhook's pods", () => {
  test("comply with Pod Security `restricted`, as do the caches and the test", () => {
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

  test("are two on different nodes, with probes, a PodDisruptionBudget and a heap limit", () => {
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
    expect(container.image).toBe(`arc-primer:${chartVersion}`);
    expect(container.env).toEqual([
      { name: "NODE_OPTIONS", value: "--max-old-space-size=192 --max-semi-space-size=4" },
      { name: "MALLOC_ARENA_MAX", value: "2" },
    ]);
    expect(container.livenessProbe.httpGet.path).toBe("/healthz");
    expect(container.readinessProbe.httpGet.path).toBe("/readyz");
  });

  test("get image, ports, network, priority and placement from the values", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const values = { ...valueSets["the host network and placement"], image: { repository: "r.example/a", digest } };
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

describe.runIf(isHelmHere)("restrictions of the webhook's service account and its clients", () => {
  const policies = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];

  test("the service account can change only the caBundle, unless the policy is disabled", () => {
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

  test("every field of an entry except the caBundle is protected", () => {
    const { validations } = render().one("ValidatingAdmissionPolicy").spec;
    const entries = render().one("MutatingWebhookConfiguration").webhooks as object[];
    const fields = new Set(entries.flatMap((entry) => Object.keys(entry)));
    fields.delete("clientConfig");
    const text = (validations as { expression: string }[]).map(({ expression }) => expression).join("\n");
    for (const field of [...fields, "matchPolicy"]) expect(text).toContain(`o.?${field} == w.?${field}`);
    for (const field of ["url", "service"])
      expect(text).toContain(`o.clientConfig.?${field} == w.clientConfig.?${field}`);
  });

  test("a client CA is mounted and passed to the webhook", () => {
    const { containers, volumes } = podSpec({ webhook: { clientCA: { configMap: "kube-apiserver" } } });
    expect(containers[0].args).toContain("--tls-client-ca-file=/client-ca/ca.crt");
    expect(containers[0].volumeMounts).toContainEqual({ name: "client-ca", mountPath: "/client-ca", readOnly: true });
    expect(volumes).toContainEqual({ name: "client-ca", configMap: { name: "kube-apiserver" } });
    expect(podSpec().containers[0].args.join()).not.toContain("client-ca");
  });

  test("in the host network, it listens on the node's own address, and serves metrics there only with a ServiceMonitor", () => {
    const values = { hostNetwork: true, webhook: { port: 10260 } };
    const [quiet] = podSpec(values).containers;
    expect(quiet.args).toEqual(expect.arrayContaining(["--host=$(NODE_ADDRESS)", "--ops-host=127.0.0.1"]));
    expect(quiet.readinessProbe.httpGet).toEqual({ host: "127.0.0.1", path: "/readyz", port: "ops" });
    const [monitored] = podSpec({ ...values, serviceMonitor: { enabled: true } }).containers;
    expect(monitored.args.join()).not.toContain("--ops-host");
    expect(monitored.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "ops" });
  });
});
