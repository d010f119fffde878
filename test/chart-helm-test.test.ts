import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { podSpec } from "./support/chart-values.ts";
import { chartFolder, helm, render, withRepository } from "./support/helm.ts";
import type { Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// What `helm install` prints and what `helm test` does.

const isHelmHere = haveTools("helm");

describe.runIf(isHelmHere)("the notes", () => {
  const notes = (values: Values) =>
    helm(
      ["install", "primer", chartFolder, "-n", "ci", "--dry-run=client", "--values", "-"],
      JSON.stringify(withRepository(values)),
    ).stdout.split("\nNOTES:\n")[1];

  test("explain how to read the logs of all replicas, and which namespaces are never primed", () => {
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

  test("creates its own namespace, and can only create pods in it", () => {
    const { namespace, role } = roleAndNamespace({});
    // Helm deletes it by name, so it must not be the name of an existing namespace.
    expect(namespace.metadata.name).toMatch(/^arc-primer-helm-test-[0-9a-f]{8}$/);
    expect(role.metadata.name).toBe(namespace.metadata.name);
    expect(namespace.metadata.labels["arc-primer.dev/inject"]).toBe("enabled");
    expect(role.metadata.namespace).toBe(namespace.metadata.name);
    expect(role.rules).toEqual([{ apiGroups: [""], resources: ["pods"], verbs: ["create"] }]);
  });

  test("first validates the configuration that the webhook would read at its next start", () => {
    const manifests = render();
    const { initContainers, volumes } = manifests.hook("Pod").spec;
    expect(initContainers[0].args).toEqual(["config", "check", "/config/config.yaml"]);
    expect(initContainers[0].image).toBe(podSpec().containers[0].image);
    expect(initContainers[0].volumeMounts).toEqual([{ name: "config", mountPath: "/config", readOnly: true }]);
    expect(volumes[0]).toEqual(podSpec().volumes[0]);
  });

  test("fails in mode audit, and says that it tested only the configuration", () => {
    const { env } = render({ config: { mode: "audit" } }).hook("Pod").spec.containers[0];
    expect(env).toContainEqual({ name: "MODE", value: "audit" });
    const script = join(chartFolder, "files/helm-test.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", env: { MODE: "audit" } });
    expect(stderr).toContain("Only the configuration was tested");
    expect(status).toBe(1);
  });

  test("tests image volumes if a profile needs them", () => {
    const tested = (values: Values) =>
      render(values)
        .hook("Pod")
        .spec.containers[0].env.find(({ name }: { name: string }) => name === "IMAGE_VOLUMES").value as string;
    expect(tested({})).toBe("false");
    expect(tested({ config: { profiles: { a: { docker: { externals: "memory" } }, b: {} } } })).toBe("false");
    expect(tested({ config: { profiles: { a: {}, b: { docker: { externals: "volume" } } } } })).toBe("true");
  });

  test("can use an existing namespace instead", () => {
    const { namespace, role } = roleAndNamespace({ test: { namespace: "runners" } });
    expect(namespace).toBeUndefined();
    expect(role.metadata.namespace).toBe("runners");
  });
});
