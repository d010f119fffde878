import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "../src/config/load.ts";
import { podSpec, valueSets } from "./support/chart-values.ts";
import { render, template } from "./support/helm.ts";
import type { Manifest, Values } from "./support/helm.ts";
import { haveTools } from "./support/tools.ts";

// The PrimerConfiguration in the chart's values.

const isHelmHere = haveTools("helm");

describe.runIf(isHelmHere)("the configuration", () => {
  const configOf = (values: Values) => render(values).one("ConfigMap", "arc-primer").data["config.yaml"] as string;

  test("is the value, mounted as a directory, so that a change needs no restart", () => {
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
  test.each(readdirSync(golden))("can be what the webhook accepts: test/golden/%s", (name) => {
    const config = parse(readFileSync(join(golden, name, "config.yaml"), "utf8")) as Values;
    const { apiVersion: _, kind: __, ...values } = config;
    expect(parse(configOf({ config: values }))).toEqual(config);
  });

  test("can have every form of value that the webhook accepts", () => {
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
  ])("injected DinD on Kubernetes %s is a %s, unless the profile sets another layout", (version, layout) => {
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

  test.each(Object.entries(valueSets))("is accepted by the webhook, with %s", (_name, values) => {
    expect(() => parseConfig(configOf(values), "config.yaml")).not.toThrow();
  });
});
