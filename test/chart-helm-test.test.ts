import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { podSpec } from "./support/chart-values.ts";
import { chartFolder, helm, render, withRepository } from "./support/helm.ts";
import type { Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// What `helm install` says and what `helm test` does.

const isHelmHere = haveTools("helm");

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
