import { describe, expect, test } from "vitest";
import { caBundle, podSpec, valueSets } from "./support/chart-values.ts";
import { render } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// The providers of the serving certificate, as Helm renders them.

const isHelmHere = haveTools("helm");

describe.runIf(isHelmHere)("TLS", () => {
  const args = (values?: Values): string[] => podSpec(values).containers[0].args;
  const certificateFlags = (values: Values) => args(values).filter((flag) => flag.startsWith("--tls"));
  const files = ["--tls-cert-file=/tls/tls.crt", "--tls-private-key-file=/tls/tls.key"];

  test("self-managed: an empty Secret, and permissions for it and for the webhook configuration, by name", () => {
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

  test.each(["cert-manager", "a Secret"])("%s: uses files, without permissions and token", (name) => {
    const values = valueSets[name]!;
    expect(
      render(values)
        .kinds()
        .filter((kind) => /Role|^Secret$/.test(kind)),
    ).toEqual([]);
    expect(certificateFlags(values)).toEqual(files);
    expect(podSpec(values).automountServiceAccountToken).toBe(false);
  });

  test("cert-manager: the chart's own CA, or a configured issuer; the CA is injected", () => {
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

  test("existing-secret: uses the configured Secret, and its CA or an annotation", () => {
    expect(podSpec(valueSets["a Secret"]).volumes[1].secret.secretName).toBe("mine");
    for (const { clientConfig } of render(valueSets["a Secret"]).one("MutatingWebhookConfiguration").webhooks) {
      expect(Buffer.from(clientConfig.caBundle, "base64").toString()).toBe(caBundle);
    }
    const secret = { provider: "existing-secret", existingSecret: { name: "mine" } };
    const bundles = (values: Values) =>
      render(values)
        .one("MutatingWebhookConfiguration")
        .webhooks.map(({ clientConfig }: Manifest) => clientConfig.caBundle);
    // Rendered although it is empty. Otherwise, a value that another provider has written would remain.
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
