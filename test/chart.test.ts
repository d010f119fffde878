import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { generatedFiles } from "../scripts/generate.ts";
import { everything, valueSets } from "./support/chart-values.ts";
import { chartFolder, chartVersion, helm, render, template } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { schemaLocation, writeSchemas } from "./support/kubernetes-schemas.ts";
import { clusterCache, findTool, haveTools } from "./support/tools.ts";

// Tests the chart as rendered by Helm. test/cluster/chart.node.test.ts tests it on a cluster.

const isHelmHere = haveTools("helm", "kubeconform");

/** Helm's error message for invalid values. */
function refusal(values: Values): string {
  const { status, stderr } = template(values);
  expect(status).not.toBe(0);
  return stderr;
}

describe.runIf(isHelmHere)("the chart", () => {
  test("passes helm lint, strictly", () => {
    const { status, stdout, stderr } = helm(["lint", "--strict", chartFolder]);
    expect(stdout + stderr).toContain("0 chart(s) failed");
    expect(status).toBe(0);
  });

  test("its generated files are up to date (npm run generate)", async () => {
    for (const [file, text] of await generatedFiles()) expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("its schema rejects unknown keys, except in types that Kubernetes defines", () => {
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
      "packageBundles.items.affinity",
    ]);
  });

  test("can be a subchart whose condition is `enabled`", () => {
    expect(render({ enabled: true }).text).toBe(render().text);
  });

  test("its plain manifests have no comments about what is not in them", () => {
    const plain = readFileSync(join(chartFolder, "../../deploy/arc-primer.yaml"), "utf8");
    expect(plain).not.toMatch(/host network/i);
  });

  test("renders deterministically, without `lookup`", () => {
    expect(template(everything).stdout).toBe(template(everything).stdout);
    const templates = readdirSync(join(chartFolder, "templates"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    expect(templates.length).toBeGreaterThan(10);
    expect(templates.join("\n")).not.toMatch(/\b(lookup|rand\w*|genCA|gen\w*Cert|genPrivateKey|uuidv4|now)\b/);
  });

  test("can have a version with build metadata, as set by Flux, although labels must not contain a plus", () => {
    const folder = mkdtempSync(join(tmpdir(), "arc-primer-chart-"));
    try {
      cpSync(chartFolder, folder, { recursive: true });
      const meta = readFileSync(join(folder, "Chart.yaml"), "utf8");
      writeFileSync(join(folder, "Chart.yaml"), meta.replaceAll(chartVersion, `${chartVersion}+3f2a1b`));
      const { stdout, stderr } = helm(["template", "arc-primer", folder, "--set", "image.repository=arc-primer"]);
      expect(stderr).toBe("");
      expect(stdout).toContain(`helm.sh/chart: arc-primer-${chartVersion}_3f2a1b\n`);
      expect(stdout).toContain(`app.kubernetes.io/version: ${chartVersion}_3f2a1b\n`);
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

    test("with null for optional values", () => {
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

    test("and kubeconform rejects an invalid manifest", () => {
      const { status, stdout } = kubeconform(render().text.replace("maxUnavailable: 1", "maxUnavailabel: 1"));
      expect(status).toBe(1);
      expect(stdout).toContain("maxUnavailabel");
    });
  });
});

describe.runIf(isHelmHere)("invalid values are rejected, with their names:", () => {
  const mirror = (url: string) => ({
    config: { profiles: { gpu: { registries: { "docker.io": { mirrors: [{ url }] } } } } },
  });
  test.each<[string, Values, RegExp[]]>([
    ["an unknown key", { replica: 3 }, [/replica'/]],
    ["an unknown key in a map", { webhook: { timeoutSecond: 3 } }, [/\/webhook'/, /timeoutSecond'/]],
    [
      "an unknown setting",
      { config: { profiles: { default: { dokcer: {} } } } },
      [/config\/profiles\/default/, /dokcer/],
    ],
    ["a timeout over 30 s", { webhook: { timeoutSeconds: 31 } }, [/webhook\/timeoutSeconds/, /31/, /30/]],
    ["a timeout of 0 s", { webhook: { timeoutSeconds: 0 } }, [/webhook\/timeoutSeconds/]],
    [
      "a mirror without a URL scheme",
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
          "an invalid quantity",
          { docker: { daemon: { resources: { limits: { memory: "lots" } } } } },
          /limits\/memory/,
        ],
        ["an invalid package", { prerequisites: { packages: ["curl; rm"] } }, /prerequisites\/packages\/0/],
        ["an invalid size", { prerequisites: { sizeLimit: "2 GB" } }, /prerequisites\/sizeLimit/],
        ["an invalid image", { docker: { daemon: { image: "Docker DinD" } } }, /daemon\/image/],
        ["an invalid flag", { docker: { daemon: { extraArgs: ["-D"] } } }, /daemon\/extraArgs\/0/],
        ["an invalid name of a variable", { docker: { daemon: { env: { "A B": "" } } } }, /propertyName 'A B'/],
      ] as const
    ).map(([name, gpu, said]): [string, Values, RegExp[]] => [name, { config: { profiles: { gpu } } }, [said]]),
    [
      "an upstream with credentials",
      { registryCache: { enabled: true, upstreams: { "docker.io": { url: "https://me:secret@hub.example.com" } } } },
      [/registryCache\.upstreams\.docker\.io\.url: it must not contain credentials; set credentialsSecret/],
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
    ["an unknown provider", { tls: { provider: "self-signed" } }, [/tls\/provider/, /self-managed/]],
    ["existing-secret without a Secret", { tls: { provider: "existing-secret" } }, [/tls\.existingSecret\.name/]],
    ["two equal ports", { webhook: { port: 8080 } }, [/webhook\.opsPort: it must differ from webhook\.port/]],
    ["the host network with the kubelet's port", { hostNetwork: true }, [/webhook\.port/, /kubelet/]],
  ])("%s", (_name, values, said) => {
    const message = refusal(values);
    for (const part of said) expect(message).toMatch(part);
    expect(message).not.toContain("secret@");
  });
});
