import { unfoldScripts } from "../../src/cli/show.ts";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { parse } from "yaml";
import type { Bundle } from "../../src/bundles/bundle.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Config, Profile } from "../../src/config/schema.ts";
import type { Mutation, PodContext } from "../../src/engine/mutation.ts";
import { configureMutations, runMutations } from "../../src/engine/run.ts";
import type { PodSecurity } from "../../src/pod/pod-security.ts";
import type { Outcome } from "../../src/report/decision.ts";
import type { Container, Pod } from "../../src/pod/types.ts";

/** A fresh copy of a golden folder's pod. */
export function goldenPod(name: string): Pod {
  const text = readFileSync(new URL(`../golden/${name}/pod.yaml`, import.meta.url), "utf8");
  return unfoldScripts(parse(text, { version: "1.1" }) as Pod);
}

/** The configurations of all golden folders, without duplicates. */
export function goldenConfigs(): Config[] {
  const folder = new URL("../golden/", import.meta.url);
  const texts = readdirSync(folder).map((name) => readFileSync(new URL(`${name}/config.yaml`, folder), "utf8"));
  const configs = texts.map((text) => parseConfig(text, "config.yaml"));
  return [...new Map(configs.map((config) => [JSON.stringify(config), config])).values()];
}

/** The Pod Security level that the namespace of a golden pod enforces. Default: privileged. */
export function goldenPodSecurity(name: string): PodSecurity {
  const file = new URL(`../golden/${name}/pod-security.txt`, import.meta.url);
  return existsSync(file) ? (readFileSync(file, "utf8").trim() as PodSecurity) : "privileged";
}

/** The package bundles that are available for a golden pod, from bundles.json. Empty if the folder has no such file. */
export function goldenBundles(name: string): Bundle[] {
  const file = new URL(`../golden/${name}/bundles.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Bundle[]) : [];
}

/** A configuration with this default profile. `more` contains other settings. */
export function configWith(profile: object, more: object = {}): Config {
  const config = {
    apiVersion: "arc-primer.dev/v1alpha1",
    kind: "PrimerConfiguration",
    ...more,
    profiles: { default: profile },
  };
  return parseConfig(JSON.stringify(config), "test");
}

export function profileWith(profile: object): Profile {
  return configWith(profile).profiles["default"]!;
}

/** Finds a container by name, including init containers. */
export function containerOf(pod: Pod, name: string): Container {
  const found = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((one) => one.name === name);
  if (!found) throw new Error(`the pod has no container ${name}`);
  return found;
}

export const mirrors = { registries: { "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }] } } };

/** The context of a pod in a namespace without Pod Security restrictions. */
export const unrestricted: PodContext = { podSecurity: "privileged" };

/** A certificate that nothing trusts, for tests of private certificates. */
export const examplePem = `-----BEGIN CERTIFICATE-----
MIIBkjCCATegAwIBAgIUMzFSMFahkCs4QR4FeeQMlIpAfkQwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSRXhhbXBsZSBwcml2YXRlIENBMCAXDTI2MTEyMzEyNTkxMloY
DzIxMjYxMDMwMTI1OTEyWjAdMRswGQYDVQQDDBJFeGFtcGxlIHByaXZhdGUgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS+cb208/AYUoInu/7wleP+ZUcWDeGw
GZWDsyMDAcierLhKzSdELEgj0XgE6QnSTHqqUk4vPT90MHSFST/PfKLxo1MwUTAd
BgNVHQ4EFgQUTjWRhnqBKOvgHd3VnM21zx3rSY8wHwYDVR0jBBgwFoAUTjWRhnqB
KOvgHd3VnM21zx3rSY8wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBG
AiEArKVJkVGqqKWWCeVjJUaYrGjRtsipPwcp0A3gMEiI9M4CIQDhgBwKyFui2T87
yk30GZ23/3c0h92urQmyVCmK62qz4w==
-----END CERTIFICATE-----
`;

/** Registries of every kind: Docker Hub and others, mirrors with paths, by HTTP and HTTPS, with private certificates. */
export const allRegistries = {
  registries: {
    "docker.io": { mirrors: [{ url: "http://registry-cache:5000" }] },
    "ghcr.io": { mirrors: [{ url: "https://harbor.example.com:8443/v2/ghcr", privateCA: true }] },
    "quay.io": { mirrors: [{ url: "https://cache.example.com/quay", insecure: true }] },
    "harbor.example.com:8443": { privateCA: true },
    "registry.ci:5000": { insecure: true },
  },
  privateCA: { pem: examplePem, runner: true },
};

/** Runs these mutations, configured for the profile, on a pod. */
export function runAll(
  mutations: readonly Mutation[],
  pod: Pod,
  profile: Profile,
  context: PodContext = unrestricted,
): { pod: Pod; outcomes: Outcome[] } {
  return runMutations(configureMutations(mutations, profile), pod, context);
}

/** Runs one mutation on a pod. `wrapperArgs` are the wrapper's arguments in the runner container's command. */
export function runOne(
  mutation: Mutation,
  pod: Pod,
  profile: object,
  context?: PodContext,
): { pod: Pod; outcome: Outcome; wrapperArgs: string[] } {
  const result = runAll([mutation], pod, profileWith(profile), context);
  const args = result.pod.spec.containers.find(({ name }) => name === "runner")?.command?.slice(3) ?? [];
  return { pod: result.pod, outcome: result.outcomes[0]!, wrapperArgs: args.slice(0, args.indexOf("--")) };
}

/** A golden pod with a modified runner container. */
export function withRunner(change: Partial<Container>, golden = "dind-sidecar"): Pod {
  const pod = goldenPod(golden);
  Object.assign(containerOf(pod, "runner"), change);
  return pod;
}
